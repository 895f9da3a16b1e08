package eval

import (
	"context"
	"errors"
	"iter"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Model returns the forecast of an emulator or another forecaster, which calls [Step] after
// every frame. With an error it returns the frames before it.
func Model(f walrus.Forecaster) Forecast {
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		if em, ok := f.(*walrus.Emulator); f == nil || ok && em == nil {
			return nil, errors.New("eval: expected a forecaster, got nil")
		}
		var out [][]float32
		for frame, err := range f.Rollout(ctx, w, steps) {
			if err != nil {
				return out, err
			}
			out = append(out, frame.Values)
			Step(ctx)
		}
		return out, nil
	}
}

// Members returns the distributions of an ensemble of a network ([walrus.EnsembleOf] with seed 0).
func Members(f walrus.Forecaster, o walrus.EnsembleOptions) EnsembleForecast {
	return func(ctx context.Context, w *data.Window, steps int) iter.Seq2[Distribution, error] {
		return func(yield func(Distribution, error) bool) {
			o.KeepMembers, o.Every, o.Quantiles = true, 1, nil
			for frame, err := range walrus.EnsembleOf(ctx, f, w, steps, o, 0) {
				if !yield(Distribution{Members: frame.Members}, err) {
					return
				}
			}
		}
	}
}

// Frames returns the number of frames that [Evaluate] requests from each forecaster, 0 if
// Evaluate refuses the protocol.
func (p Protocol) Frames(ds data.Dataset) int {
	p, err := p.check(ds)
	if err != nil {
		return 0
	}
	n := 0
	for _, h := range p.Horizons {
		if to := min(h.To, p.reach(ds)); to >= h.From {
			n += to * len(p.places(ds, to))
		}
	}
	return n
}

// counterKey is the key of an evaluation's counter in the context of its forecasters.
type counterKey struct{}

// Step tells [Protocol.Progress] that a forecaster made one more frame. Slow
// forecasters call it with the context that they were given, from one goroutine at a
// time. With any other context it does nothing.
func Step(ctx context.Context) {
	if c, ok := ctx.Value(counterKey{}).(*counter); ok {
		c.to(c.done + 1)
	}
}

// counter counts the frames of an evaluation.
type counter struct {
	tell        func(done, total int)
	done, total int
}

// in returns a context in which Step counts.
func (c *counter) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, counterKey{}, c)
}

// to sets the number of finished frames.
func (c *counter) to(done int) {
	changed := done != c.done || done == 0
	c.done = done
	if changed && c.tell != nil {
		c.tell(done, c.total)
	}
}
