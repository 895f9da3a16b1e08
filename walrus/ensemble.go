package walrus

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/quantile"
)

// Perturbation returns the frames of a window with random changes from rng, for one member
// of an ensemble. It must not change the window, and the same state of rng must give the same
// frames. Package walrus/perturb has perturbations.
type Perturbation func(w *data.Window, rng *rand.Rand) ([][]float32, error)

// EnsembleOptions configure [Emulator.Ensemble]. Members always differ in their draws of
// jitter and rolls, unless the emulator's options switch these off; the other sources of
// spread are optional and may be combined.
type EnsembleOptions struct {
	// Members is the number of members, at least 1.
	Members int
	// Perturbation changes the initial frames of every member; nil means no change.
	Perturbation Perturbation
	// Lags are numbers of frames by which members start earlier. The window then has more
	// frames than the history of a member: a member with lag l starts from the frames that end
	// l before the end of the window and forecasts l more steps, which are not yielded. The
	// history has as many frames as remain at the largest lag. Members use the lags in turn.
	Lags []int
	// Weights are networks of the same configuration, such as checkpoints of one training.
	// Members use them in turn, with the emulator's scaling; nil means the emulator's weights.
	// The caller keeps and frees them.
	Weights []*Weights
	// KeepMembers says that frames hold all members.
	KeepMembers bool
	// Quantiles are probabilities between 0 and 1 whose quantiles frames hold.
	Quantiles []float64
	// Every yields only frames Every, 2·Every and so on; 0 means 1.
	Every int
}

// EnsembleFrame is one forecast frame of an ensemble. All arrays hold the variable channels
// in the window's order, units and axes, [C·H·W·D], and are the caller's.
type EnsembleFrame struct {
	// Step counts from 1, the frame after the window.
	Step int
	// Mean and Std are the mean and the unbiased standard deviation of the members at every
	// point. The standard deviation of a single member is 0.
	Mean, Std []float32
	// Quantiles holds a frame for each of EnsembleOptions.Quantiles: the value at position
	// p·(Members+1) of the sorted members, with linear interpolation.
	Quantiles [][]float32
	// Members holds the frame of each member if EnsembleOptions.KeepMembers is set.
	Members [][]float32
}

// Validate checks the ranges.
func (o EnsembleOptions) Validate() error {
	if o.Members < 1 || o.Members > maxDraws {
		return fmt.Errorf("walrus: ensemble: expected 1 to %d members, got %d", maxDraws, o.Members)
	}
	for _, lag := range o.Lags {
		if lag < 0 {
			return fmt.Errorf("walrus: ensemble: expected lags of at least 0 frames, got %v", o.Lags)
		}
	}
	for _, p := range o.Quantiles {
		if !(p > 0 && p < 1) {
			return fmt.Errorf("walrus: ensemble: expected quantiles between 0 and 1, got %v", o.Quantiles)
		}
	}
	if o.Every < 0 {
		return fmt.Errorf("walrus: ensemble: expected to yield every frame (1) or every n-th, got %d", o.Every)
	}
	if i := slices.Index(o.Weights, nil); i >= 0 {
		return fmt.Errorf("walrus: ensemble: weights %d: expected weights, got nil", i)
	}
	return nil
}

// lag returns the lag of a member.
func (o EnsembleOptions) lag(member int) int {
	if len(o.Lags) == 0 {
		return 0
	}
	return o.Lags[member/max(len(o.Weights), 1)%len(o.Lags)]
}

// Ensemble forecasts several members one step after the other, each from its own frames, and
// yields their statistics at every step. Up to [EmulatorOptions.Batch] members pass the
// network together. Between steps the latest frames of all members are on the device; the
// host holds no more than the result.
//
// A member depends on the emulator's seed and its own number, not on the number of members or
// the batch, except for rounding. Ensemble yields the first error, also if a single member
// diverges, and stops.
//
// The mean of the members is the release's full-trajectory ensemble.
func (e *Emulator) Ensemble(ctx context.Context, w *data.Window, steps int, o EnsembleOptions) iter.Seq2[EnsembleFrame, error] {
	return func(yield func(EnsembleFrame, error) bool) {
		runs, err := e.beginEnsemble(ctx, w, steps, o)
		defer func() {
			for _, r := range runs {
				r.close()
			}
		}()
		if err != nil {
			yield(EnsembleFrame{}, err)
			return
		}
		every := max(o.Every, 1)
		for step := 1; step <= steps; step++ {
			asked := step%every == 0
			sum := newEnsembleSum(o)
			for _, r := range runs {
				frames, err := r.next(ctx, step, r.draw, asked)
				if err != nil {
					yield(EnsembleFrame{}, err)
					return
				}
				for lane, u := range frames {
					sum.add(r.members[lane], u)
				}
			}
			if asked && !yield(sum.frame(step, o.Quantiles), nil) {
				return
			}
		}
	}
}

// ensembleRun is a rollout of members with the same weights and lag.
type ensembleRun struct {
	*rollout
	rngs []*rand.Rand // of each lane
}

func (r ensembleRun) draw(_ *rollout, lane int) Draws { return r.e.draw(r.rngs[lane], r.plan) }

// memberRNG returns a generator that depends on the emulator's seed and a member. Each
// purpose has its own.
func (e *Emulator) memberRNG(purpose uint64, member int) *rand.Rand {
	return memberRNG(e.opts.Seed, purpose, member)
}

// memberRNG returns a generator that depends on a seed, a purpose and a member.
func memberRNG(seed, purpose uint64, member int) *rand.Rand {
	const golden = 0x9e3779b97f4a7c15 // spreads the numbers of members over all bits
	return rand.New(rand.NewPCG(seed, purpose^golden*uint64(member+1)))
}

// perturbed returns a window with the perturbation of a member.
func (o EnsembleOptions) perturbed(w *data.Window, member int, seed uint64) (*data.Window, error) {
	if o.Perturbation == nil {
		return w, nil
	}
	own := *w
	var err error
	if own.Frames, err = o.Perturbation(w, memberRNG(seed, perturbationOfMember, member)); err != nil {
		return nil, fmt.Errorf("member %d: perturbation: %w", member, err)
	}
	if len(own.Frames) != len(w.Frames) {
		return nil, fmt.Errorf("member %d: perturbation: expected %d frames, got %d", member, len(w.Frames), len(own.Frames))
	}
	return &own, nil
}

const (
	drawsOfRollout       = 0x656d756c61746f72
	drawsOfMember        = 0x656e73656d626c65
	perturbationOfMember = 0x7065727475726221
)

// beginEnsemble prepares the rollouts of all members and steps lagged members to the end of
// the window. The caller must close the rollouts, also after an error.
func (e *Emulator) beginEnsemble(ctx context.Context, w *data.Window, steps int, o EnsembleOptions) (runs []ensembleRun, err error) {
	if err := e.checkEnsemble(w, steps, o); err != nil {
		return nil, err
	}
	networks := o.Weights
	if len(networks) == 0 {
		networks = []*Weights{e.weights}
	}
	lags := []int{0}
	if len(o.Lags) > 0 {
		lags = slices.Compact(slices.Sorted(slices.Values(o.Lags)))
	}
	for n, network := range networks {
		for _, lag := range lags {
			var members []int
			for i := n; i < o.Members; i += len(networks) {
				if o.lag(i) == lag {
					members = append(members, i)
				}
			}
			for part := range slices.Chunk(members, e.opts.Batch) {
				r, err := e.beginMembers(ctx, w, o, part, lag, network)
				if r.rollout != nil {
					runs = append(runs, r)
				}
				if err != nil {
					return runs, err
				}
			}
		}
	}
	return runs, nil
}

// beginMembers prepares the rollout of some members and steps it to the end of the window.
func (e *Emulator) beginMembers(ctx context.Context, w *data.Window, o EnsembleOptions, members []int, lag int, network *Weights) (r ensembleRun, err error) {
	most := 0
	if len(o.Lags) > 0 {
		most = slices.Max(o.Lags)
	}
	start, err := w.Slice(most-lag, len(w.Frames)-lag)
	if err != nil {
		return r, err
	}
	windows := make([]*data.Window, len(members))
	for i, m := range members {
		r.rngs = append(r.rngs, e.memberRNG(drawsOfMember, m))
		if windows[i], err = o.perturbed(start, m, e.opts.Seed); err != nil {
			return r, fmt.Errorf("walrus: %s: %w", label(w), err)
		}
	}
	if r.rollout, err = e.beginLanes(ctx, windows, members, network); err != nil {
		return r, err
	}
	for step := 1 - lag; step <= 0; step++ {
		if _, err := r.next(ctx, step, r.draw, false); err != nil {
			return r, err
		}
	}
	return r, nil
}

// checkEnsemble checks the arguments of an ensemble.
func (e *Emulator) checkEnsemble(w *data.Window, steps int, o EnsembleOptions) error {
	if e.model == nil {
		return errZeroEmulator
	}
	if err := o.check(w, steps); err != nil {
		return err
	}
	for i, network := range o.Weights {
		if a, b := network.Config(), e.weights.Config(); !reflect.DeepEqual(forecasting(a), forecasting(b)) {
			return fmt.Errorf("walrus: ensemble: weights %d: expected the configuration of the emulator's weights (%s), got another (%s)", i, b.Name, a.Name)
		}
	}
	return nil
}

// check checks the options and the window of an ensemble.
func (o EnsembleOptions) check(w *data.Window, steps int) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if steps < 0 {
		return fmt.Errorf("walrus: ensemble: expected a number of steps, got %d", steps)
	}
	if w == nil {
		return fmt.Errorf("walrus: ensemble: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return err
	}
	if len(o.Lags) > 0 && slices.Max(o.Lags) >= len(w.Frames) {
		return fmt.Errorf("walrus: ensemble: %s: expected more frames than the largest lag of %v, got %d", label(w), o.Lags, len(w.Frames))
	}
	return nil
}

// forecasting returns a configuration without the settings that do not affect a forecast.
func forecasting(c Config) Config {
	c.DropPath, c.FieldDrop, c.CheckpointEvery, c.ProjectionDim, c.Name = 0, 0, 0, 0, ""
	return c
}

// ensembleSum accumulates the members of one step (Welford's algorithm).
type ensembleSum struct {
	n          float64
	mean, sq   []float64 // mean, and sum of squared differences to it
	members    [][]float32
	keepResult bool
}

func newEnsembleSum(o EnsembleOptions) *ensembleSum {
	s := &ensembleSum{keepResult: o.KeepMembers}
	if o.KeepMembers || len(o.Quantiles) > 0 {
		s.members = make([][]float32, o.Members)
	}
	return s
}

// add adds the frame of a member.
func (s *ensembleSum) add(member int, u []float32) {
	if s.mean == nil {
		s.mean, s.sq = make([]float64, len(u)), make([]float64, len(u))
	}
	s.n++
	for i, v := range u {
		d := float64(v) - s.mean[i]
		s.mean[i] += d / s.n
		s.sq[i] += d * (float64(v) - s.mean[i])
	}
	if s.members != nil {
		s.members[member] = u
	}
}

// frame returns the statistics.
func (s *ensembleSum) frame(step int, quantiles []float64) EnsembleFrame {
	out := EnsembleFrame{Step: step, Mean: single(s.mean), Std: make([]float32, len(s.mean))}
	for i, v := range s.sq {
		out.Std[i] = float32(math.Sqrt(v / max(s.n-1, 1)))
	}
	for range quantiles {
		out.Quantiles = append(out.Quantiles, make([]float32, len(s.mean)))
	}
	if len(quantiles) > 0 {
		x := make([]float32, len(s.members))
		for i := range s.mean {
			for m, u := range s.members {
				x[m] = u[i]
			}
			slices.Sort(x)
			for k, p := range quantiles {
				out.Quantiles[k][i] = quantile.Of(x, p)
			}
		}
	}
	if s.keepResult {
		out.Members = s.members
	}
	return out
}
