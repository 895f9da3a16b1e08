package walrus

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// GradientOptions configure derivatives of forecasts.
type GradientOptions struct {
	// FrozenStatistics treats the statistics of the history, by which every step normalises
	// its frames, as constants. The default differentiates them, because the forecast depends
	// on them: only then is the result the derivative of the forecast. With frozen statistics
	// it is off by a few per cent, and proportional changes of a field pass the network as
	// if its scale were fixed. Statistics of a data set are constant in any case.
	FrozenStatistics bool
}

// ForecastGradient is the value of a function of a forecast, with its gradient in physical units:
// the change of the function per unit of each value.
type ForecastGradient struct {
	// Value is the value of the function; 0 from [Emulator.VJP].
	Value float64
	// Frames holds the gradient with respect to each frame of the window, in the layout of
	// data.Window.Frames.
	Frames [][]float32
	// Constants is the gradient with respect to the constant fields, in the layout of
	// data.Window.Constants. That of [data.MaskName] is the one through the network; where
	// the mask sets the forecast to 0, it has none.
	Constants []float32
	// Forecast holds the forecast frames, as [Emulator.Forecast] returns them.
	Forecast [][]float32
}

// Tangent is a direction in which a window changes.
type Tangent struct {
	// Frames holds the change of each frame, in the layout of data.Window.Frames.
	Frames [][]float32
	// Constants is the change of the constant fields; nil means none.
	Constants []float32
}

// Gradient forecasts the given number of frames and returns the value of an objective and
// its gradient with respect to the window's frames and constant fields.
//
// It differentiates the forecast that [Emulator.Rollout] computes with the same options,
// including its draws of jitter, which follow the seed. The backward pass runs step by step
// and computes the activations of each step again, so that memory grows with the number of
// frames, not with the activations of all steps. It takes three to five times as long as the
// forecast (benchmarks/gradient_xla-cpu_2026-11-30.md).
//
// With weights held in a shorter type ([EmulatorOptions].Weights) the gradient is that of the
// network with the rounded weights. Gradient returns an error for an emulator with a Cache,
// with Between, which the host computes, or with arithmetic in bfloat16, and an error if the
// forecast diverges.
func (e *Emulator) Gradient(ctx context.Context, w *data.Window, steps int, objective *Objective, o GradientOptions) (*ForecastGradient, error) {
	if objective == nil || objective.value == nil {
		return nil, fmt.Errorf("walrus: gradient: expected an objective of NewObjective or package walrus/objective, got none")
	}
	if steps < 0 {
		return nil, fmt.Errorf("walrus: gradient: expected a number of steps, got %d", steps)
	}
	t, err := e.trajectory(ctx, w, steps, o)
	if err != nil {
		return nil, err
	}
	defer t.close()
	value, slopes, err := t.evaluate(objective)
	if err != nil {
		return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
	}
	g, err := t.back(ctx, slopes)
	if err != nil {
		return nil, err
	}
	g.Value = value
	return g, nil
}

// VJP returns the vector–Jacobian product of a forecast: the gradient of the sum of all
// cotangents times forecast values. cotangents[k] belongs to step k+1, in the layout of
// its frame; nil means zeros. See [Emulator.Gradient].
func (e *Emulator) VJP(ctx context.Context, w *data.Window, cotangents [][]float32, o GradientOptions) (*ForecastGradient, error) {
	t, err := e.trajectory(ctx, w, len(cotangents), o)
	if err != nil {
		return nil, err
	}
	defer t.close()
	slopes := make([][]float64, len(t.states))
	for k, c := range cotangents {
		if c == nil {
			continue
		}
		if err := t.check(c, len(w.Channels(false))); err != nil {
			return nil, fmt.Errorf("walrus: %s: cotangent of step %d: %w", label(w), k+1, err)
		}
		slopes[len(w.Frames)+k] = addTo(nil, c, 1)
	}
	return t.back(ctx, slopes)
}

// JVP returns the Jacobian–vector product of a forecast: the change of each forecast frame,
// to first order, per unit of the tangent. A step takes about as long as two steps of
// [Emulator.VJP]. It differentiates the backward pass once more, which is an error on XLA
// for grids so large that attention is computed in a loop, and on CUDA devices unless the
// backend has the option tf32=false, because fused attention has first derivatives only.
func (e *Emulator) JVP(ctx context.Context, w *data.Window, steps int, tangent Tangent, o GradientOptions) ([][]float32, error) {
	if steps < 0 {
		return nil, fmt.Errorf("walrus: jvp: expected a number of steps, got %d", steps)
	}
	if w != nil && len(tangent.Frames) != len(w.Frames) {
		return nil, fmt.Errorf("walrus: %s: expected a tangent of %d frames, got %d", label(w), len(w.Frames), len(tangent.Frames))
	}
	t, err := e.trajectory(ctx, w, steps, o)
	if err != nil {
		return nil, err
	}
	defer t.close()
	for i, f := range tangent.Frames {
		if err := t.check(f, len(w.Channels(false))); err != nil {
			return nil, fmt.Errorf("walrus: %s: tangent of frame %d: %w", label(w), i, err)
		}
	}
	if tangent.Constants == nil {
		tangent.Constants = make([]float32, len(w.Constants))
	}
	if err := t.check(tangent.Constants, len(w.Channels(true))); err != nil {
		return nil, fmt.Errorf("walrus: %s: tangent of the constant fields: %w", label(w), err)
	}
	frames := slices.Clone(tangent.Frames)
	for step := 1; step <= steps; step++ {
		if err := t.goOn(ctx, step); err != nil {
			return nil, err
		}
		u, err := t.push(step, frames[step-1:], tangent.Constants)
		if err != nil {
			return nil, fmt.Errorf("walrus: %s: derivative of step %d: %w", label(w), step, err)
		}
		frames = append(frames, u)
	}
	return frames[len(w.Frames):], nil
}

// check checks the values of a tangent or cotangent with a number of channels.
func (t *trajectory) check(values []float32, channels int) error {
	if n := channels * t.volume.Points(); len(values) != n {
		return fmt.Errorf("expected %d values, got %d", n, len(values))
	}
	if i := nonfinite.First(values); i >= 0 {
		return fmt.Errorf("expected finite values, got %v at %d", values[i], i)
	}
	return nil
}

// trajectory forecasts and keeps the frames and draws of all steps. The caller must close it.
func (e *Emulator) trajectory(ctx context.Context, w *data.Window, steps int, o GradientOptions) (*trajectory, error) {
	switch {
	case e.opts.Cache != nil:
		return nil, fmt.Errorf("walrus: gradient: expected an emulator without a cache (EmulatorOptions.Cache)")
	case e.opts.Between != nil:
		return nil, fmt.Errorf("walrus: gradient: expected an emulator without corrections (EmulatorOptions.Between), which cannot be differentiated")
	case e.opts.Precision != Float32:
		return nil, fmt.Errorf("walrus: gradient: expected the precision float32, got %s", e.opts.Precision)
	}
	if e.layout != nil {
		return nil, fmt.Errorf("walrus: gradient: expected an emulator on one device, got one on %d", len(e.layout.Devices))
	}
	r, err := e.begin(ctx, w)
	if err != nil {
		return nil, err
	}
	t := &trajectory{rollout: r, frozen: o.FrozenStatistics, states: slices.Clone(w.Frames)}
	rng := rand.New(rand.NewPCG(e.opts.Seed, drawsOfRollout))
	for step := 1; step <= steps; step++ {
		var drawn []Draws
		values, err := r.next(ctx, step, func(r *rollout, _ int) Draws {
			drawn = append(drawn, e.draw(rng, r.plan))
			return drawn[len(drawn)-1]
		}, true)
		if err != nil {
			r.close()
			return nil, err
		}
		t.states, t.draws = append(t.states, values[0]), append(t.draws, drawn)
	}
	return t, nil
}

// goOn returns an error if the derivative of a step should not be computed any more.
func (t *trajectory) goOn(ctx context.Context, step int) error {
	err := ctx.Err()
	if err != nil {
		err = cancelled(ctx)
	} else if t.e.uses.Closed() {
		err = ErrClosed
	}
	if err != nil {
		return fmt.Errorf("walrus: %s: derivative of step %d: %w", label(t.window), step, err)
	}
	return nil
}

// back carries slopes, the gradients with respect to the window's frames and the forecast
// frames, back to the window. nil means zeros.
func (t *trajectory) back(ctx context.Context, slopes [][]float64) (*ForecastGradient, error) {
	history := len(t.window.Frames)
	var constants []float64
	for step := len(t.draws); step >= 1; step-- {
		if err := t.goOn(ctx, step); err != nil {
			return nil, err
		}
		slope := slopes[history+step-1]
		if slope == nil {
			continue
		}
		sums, err := t.pull(step, single(slope))
		if err != nil {
			return nil, fmt.Errorf("walrus: %s: derivative of step %d: %w", label(t.window), step, err)
		}
		for i, v := range sums[:history] {
			u, err := t.volume.Gather(single(v))
			if err != nil {
				return nil, err
			}
			slopes[step-1+i] = addTo(slopes[step-1+i], u, 1)
		}
		if len(sums) > history {
			constants = addTo(constants, single(sums[history]), 1)
		}
		slopes[history+step-1] = nil
	}
	return t.gradient(slopes[:history], constants)
}

// gradient returns the result in the window's layout.
func (t *trajectory) gradient(frames [][]float64, constants []float64) (*ForecastGradient, error) {
	g := &ForecastGradient{Forecast: t.states[len(frames):]}
	for i, v := range frames {
		if v == nil {
			v = make([]float64, len(t.window.Frames[i]))
		}
		g.Frames = append(g.Frames, single(v))
	}
	if n := len(t.window.Constants); n > 0 {
		g.Constants = make([]float32, n)
	}
	points := t.volume.Points()
	for i, s := range t.volume.ConstantSource {
		if s >= 0 && constants != nil {
			copy(g.Constants[s*points:(s+1)*points], single(constants[i*points:(i+1)*points]))
		}
	}
	for _, v := range append(slices.Clone(g.Frames), g.Constants) {
		if i := nonfinite.First(v); i >= 0 {
			return nil, fmt.Errorf("walrus: %s: expected a finite gradient, got %v: the derivatives grow too large over %d steps", label(t.window), v[i], len(t.draws))
		}
	}
	return g, nil
}
