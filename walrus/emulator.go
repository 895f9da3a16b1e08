package walrus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/lifetime"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/internal/shard"
)

// Emulator forecasts fields in physical units. It is safe for concurrent use.
type Emulator struct {
	opts    EmulatorOptions
	scaling Scaling
	model   *Model
	weights *Weights

	mu       sync.Mutex
	programs programs
	warned   map[string]bool
	narrowed copies[held] // short copies of float32 weights
	shards   copies[pieces]
	layout   *shard.Layout // nil for a single device
	uses     lifetime.Uses // rollouts
}

// ErrClosed is the error of rollouts of a closed emulator.
var ErrClosed = errors.New("the emulator is closed")

// NewEmulator returns an emulator of the given weights. It normalises fields with the
// scaling of the weights' training unless the options set Scaling. If that scaling needs
// the statistics of a data set and they were not recorded, NewEmulator returns an error.
// The weights may be changed, for example by training, while no rollout is running; the
// next rollout uses the changed weights.
func NewEmulator(w *Weights, o EmulatorOptions) (*Emulator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("walrus: emulator: expected weights, got none")
	}
	if err := o.takes(w); err != nil {
		return nil, fmt.Errorf("walrus: emulator: %w", err)
	}
	c := w.Config()
	if o.JitterOff {
		c.Jitter = JitterOff
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Ensemble, o.Batch, o.Programs = max(o.Ensemble, 1), max(o.Batch, 1), cmp.Or(o.Programs, 16)
	o.Level = cmp.Or(o.Level, 0.9)
	o.MemoryLimit = cmp.Or(o.MemoryLimit, machine.Memory())
	scaling, err := w.scalingFor(o)
	if err != nil {
		return nil, err
	}
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	if len(o.Devices) > 0 {
		o.Device = o.Devices[0]
	}
	layout, err := o.layout()
	if err != nil {
		return nil, fmt.Errorf("walrus: emulator: devices %v: %w", o.Devices, err)
	}
	e := &Emulator{layout: layout, shards: copies[pieces]{}, opts: o, scaling: scaling, model: m, weights: w, warned: map[string]bool{}, narrowed: copies[held]{}}
	if c := o.Calibration; c != nil {
		if err := c.fits(e); err != nil {
			return nil, fmt.Errorf("walrus: emulator options: %w", err)
		}
		if err := c.has(o.Level); err != nil {
			return nil, fmt.Errorf("walrus: emulator options: %w", err)
		}
	}
	return e, nil
}

// Model returns the network, with jitter as the options say.
func (e *Emulator) Model() *Model { return e.model }

// Programs returns the number of compiled programs that the emulator holds.
func (e *Emulator) Programs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.programs.order.Len()
}

// Calibration returns the calibration of the intervals, or nil.
func (e *Emulator) Calibration() *Calibration { return e.opts.Calibration }

// Scaling returns how the emulator normalises fields.
func (e *Emulator) Scaling() Scaling { return e.scaling }

// Emulate forecasts the frame after the window. The result holds the variable
// channels of the window, in its order, units and axes: [C·H·W·D].
//
// The window must have fields that the network knows, a boundary for every axis and
// side, and at least one frame. From several frames the network learns how fast fields
// change; the released weights were trained with 6 frames in 2D and 3 in 3D.
func (e *Emulator) Emulate(ctx context.Context, w *data.Window) ([]float32, error) {
	for frame, err := range e.Rollout(ctx, w, 1) {
		return frame.Values, err
	}
	return nil, ctx.Err()
}

// Forecast is Rollout, but returns all frames at once.
func (e *Emulator) Forecast(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
	var out [][]float32
	for frame, err := range e.Rollout(ctx, w, steps) {
		if err != nil {
			return nil, err
		}
		out = append(out, frame.Values)
	}
	return out, nil
}

// Frame is one forecast frame.
type Frame struct {
	// Step counts from 1, the frame after the window.
	Step int
	// Values holds the variable channels in the window's order, units and
	// axes: [C·H·W·D]. The caller owns it.
	Values []float32
	// Interval is the interval of EmulatorOptions.Level if the emulator has a calibration for
	// the step and the window's channels; otherwise nil, with one warning in the log.
	Interval *Interval
}

// Rollout forecasts the given number of frames one after the other. After each step it
// drops the first frame of the window and appends the forecast (docs/reference.md §9). It
// yields the first error and stops. It checks ctx before every step.
//
//	for frame, err := range em.Rollout(ctx, window, 20) {
//		if err != nil { … }
//	}
func (e *Emulator) Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[Frame, error] {
	return e.RolloutEvery(ctx, w, steps, 1)
}

// RolloutEvery is Rollout, but yields only frames every, 2·every, and so on. The other
// frames stay on the device.
func (e *Emulator) RolloutEvery(ctx context.Context, w *data.Window, steps, every int) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		rng := rand.New(rand.NewPCG(e.opts.Seed, drawsOfRollout))
		e.rollout(ctx, w, steps, every, yield, func(r *rollout, _ int) Draws { return e.draw(rng, r.plan) })
	}
}

// draw returns random draws, without rolls if the options say so.
func (e *Emulator) draw(rng *rand.Rand, plan *csm.Plan) Draws {
	d := e.model.Draw(rng, plan)
	if e.opts.NoRolls {
		d.Rolls = nil
	}
	return d
}

// Replay is Rollout with given draws. Every step uses Ensemble draws, so the number of
// draws must be a multiple of Ensemble.
func (e *Emulator) Replay(ctx context.Context, w *data.Window, draws []Draws) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		if n := e.opts.Ensemble; len(draws)%n != 0 {
			yield(Frame{}, fmt.Errorf("walrus: replay: expected %d draws for every step, got %d in all", n, len(draws)))
			return
		}
		if e.opts.Cache != nil {
			yield(Frame{}, fmt.Errorf("walrus: replay: expected an emulator without a cache, because a cache keeps draws for several steps"))
			return
		}
		next := 0
		e.rollout(ctx, w, len(draws)/e.opts.Ensemble, 1, yield, func(*rollout, int) Draws {
			next++
			return draws[next-1]
		})
	}
}

// rollout runs the steps of one trajectory.
func (e *Emulator) rollout(ctx context.Context, w *data.Window, steps, every int, yield func(Frame, error) bool, draw func(r *rollout, lane int) Draws) {
	if steps < 0 {
		yield(Frame{}, fmt.Errorf("walrus: rollout: expected a number of steps, got %d", steps))
		return
	}
	if every < 1 {
		yield(Frame{}, fmt.Errorf("walrus: rollout: expected to yield every frame (1) or every n-th, got %d", every))
		return
	}
	r, err := e.begin(ctx, w)
	if err != nil {
		yield(Frame{}, err)
		return
	}
	defer r.close()
	for step := 1; step <= steps; step++ {
		asked := step%every == 0
		values, err := r.next(ctx, step, draw, asked)
		if err != nil {
			yield(Frame{}, err)
			return
		}
		if !asked {
			continue
		}
		frame := Frame{Step: step, Values: values[0]}
		if frame.Interval, err = r.interval(step, values[0]); err != nil {
			yield(Frame{}, err)
			return
		}
		if !yield(frame, nil) {
			return
		}
	}
}

// addTo adds weight·u to sum and returns sum, which may be nil at first.
func addTo(sum []float64, u []float32, weight float64) []float64 {
	if sum == nil {
		sum = make([]float64, len(u))
	}
	for i, v := range u {
		sum[i] += weight * float64(v)
	}
	return sum
}

// single converts a sum to single precision.
func single(sum []float64) []float32 {
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v)
	}
	return out
}
