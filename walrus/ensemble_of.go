package walrus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// EnsembleOf forecasts an ensemble with any network, as [Emulator.Ensemble] does with an
// emulator, which it calls for one. The networks of package walrus/peers have no random draws:
// their members differ by o.Perturbation and o.Lags, of which one must be set, and o.Weights must
// be empty. Perturbations are drawn from seed and the number of the member; an emulator has its
// own seed. Members are forecast one after the other at every step.
func EnsembleOf(ctx context.Context, f Forecaster, w *data.Window, steps int, o EnsembleOptions, seed uint64) iter.Seq2[EnsembleFrame, error] {
	if e, ok := f.(*Emulator); ok && e != nil {
		return e.Ensemble(ctx, w, steps, o)
	}
	return func(yield func(EnsembleFrame, error) bool) {
		windows, err := members(f, w, steps, o, seed)
		if err != nil {
			yield(EnsembleFrame{}, err)
			return
		}
		next := make([]func() (Frame, error, bool), o.Members)
		for m, start := range windows {
			lag := o.lag(m)
			var stop func()
			next[m], stop = iter.Pull2(f.Rollout(ctx, start, lag+steps))
			defer stop()
			for range lag { // up to the end of the window
				if _, err := pull(next[m], m); err != nil {
					yield(EnsembleFrame{}, err)
					return
				}
			}
		}
		every := max(o.Every, 1)
		for step := 1; step <= steps; step++ {
			sum := newEnsembleSum(o)
			for m := range next {
				u, err := pull(next[m], m)
				if err != nil {
					yield(EnsembleFrame{}, err)
					return
				}
				sum.add(m, u)
			}
			if step%every == 0 && !yield(sum.frame(step, o.Quantiles), nil) {
				return
			}
		}
	}
}

// pull returns the next frame of a member.
func pull(next func() (Frame, error, bool), member int) ([]float32, error) {
	frame, err, more := next()
	if err == nil && !more {
		err = errors.New("expected a frame for every step, got fewer")
	}
	if err != nil {
		return nil, fmt.Errorf("walrus: ensemble: member %d: %w", member, err)
	}
	return frame.Values, nil
}

// members checks the arguments of an ensemble of any network and returns the window of each member.
func members(f Forecaster, w *data.Window, steps int, o EnsembleOptions, seed uint64) ([]*data.Window, error) {
	if e, ok := f.(*Emulator); f == nil || ok && e == nil {
		return nil, errors.New("walrus: ensemble: expected a network, got nil")
	}
	if err := o.check(w, steps); err != nil {
		return nil, err
	}
	switch {
	case len(o.Weights) > 0:
		return nil, fmt.Errorf("walrus: ensemble: expected no Weights, which are those of Walrus networks, got %d with a %T", len(o.Weights), f)
	case o.Members > 1 && o.Perturbation == nil && len(o.Lags) == 0:
		return nil, fmt.Errorf("walrus: ensemble: expected a Perturbation (package walrus/perturb) or Lags, without which all members of a %T are the same, got neither", f)
	}
	most := 0
	if len(o.Lags) > 0 {
		most = slices.Max(o.Lags)
	}
	out := make([]*data.Window, o.Members)
	for m := range out {
		lag := o.lag(m)
		start, err := w.Slice(most-lag, len(w.Frames)-lag)
		if err != nil {
			return nil, err
		}
		if out[m], err = o.perturbed(start, m, seed); err != nil {
			return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
		}
	}
	return out, nil
}
