package walrus

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// EmulatorOptions configure an Emulator. Only Backend is required.
type EmulatorOptions struct {
	Backend compute.Backend
	// Scaling says how fields are normalised; nil takes the scaling that the weights
	// were trained with ([Weights.Scaling]).
	Scaling *Scaling
	// Resize is the grid that fields are interpolated to before the network; the zero
	// value keeps theirs.
	Resize Resize
	// Ensemble averages each frame over that many draws of jitter before the
	// next one is forecast; 0 is 1.
	Ensemble int
	// Batch is the number of draws, of an ensemble's members for example, that pass the
	// network together; 0 is 1. More need as many times the memory of activations and
	// keep a GPU busy that one would not; on CPUs they take as long as one by one.
	Batch int
	// Precision is the arithmetic of the network, float32 if not set.
	Precision Precision
	// Device is the number of the backend's device that computes, from 0. Weights are on
	// one device at a time: emulators on several need copies ([Weights.Clone]).
	Device int
	// Cache keeps what was computed of earlier frames; nil computes every frame from
	// the whole window anew, with new draws, as the release does.
	Cache *Cache
	// Seed seeds the draws. The same seed gives the same forecast on the same
	// backend.
	Seed uint64
	// JitterOff pads without random shifts and rolls: the forecast no longer
	// depends on a seed. (The release's jitter_patches: false; padding differs
	// slightly from that with jitter.)
	JitterOff bool
	// NoRolls leaves out the latent rolls between blocks and keeps the jitter of the
	// input, for weights that were trained so.
	NoRolls bool
	// OwnWeights has Close free the weights, too; [Load] sets it.
	OwnWeights bool
	// Log receives a record for every compiled program, and a warning for every
	// [Advice] on a window; nil is silent.
	Log *slog.Logger
}

// Validate checks the options.
func (o EmulatorOptions) Validate() error {
	if o.Backend == nil {
		return fmt.Errorf("walrus: emulator options: expected a backend (see package walrus/backend), got none")
	}
	if o.Ensemble < 0 {
		return fmt.Errorf("walrus: emulator options: expected an ensemble of at least 1, got %d", o.Ensemble)
	}
	if o.Batch < 0 {
		return fmt.Errorf("walrus: emulator options: expected a batch of at least 1, got %d", o.Batch)
	}
	if n := o.Backend.NumDevices(); o.Device < 0 || o.Device >= n {
		return fmt.Errorf("walrus: emulator options: expected a device from 0 to %d, got %d", n-1, o.Device)
	}
	if err := o.Precision.check(o.Backend); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if o.Cache != nil {
		if err := o.Cache.Validate(); err != nil {
			return fmt.Errorf("walrus: emulator options: %w", err)
		}
	}
	if o.Scaling != nil {
		if err := o.Scaling.complete(); err != nil {
			return fmt.Errorf("walrus: emulator options: scaling: %w", err)
		}
	}
	return nil
}

// Emulator forecasts fields in physical units. It is safe for concurrent use.
type Emulator struct {
	opts    EmulatorOptions
	scaling Scaling
	model   *Model
	weights *Weights

	mu       sync.Mutex
	programs map[string]*stepProgram
	warned   map[string]bool
	rounded  rounded
}

// NewEmulator returns an emulator of the given weights. It normalises fields as the
// weights were trained unless the options set Scaling; that is an error if the weights
// need the statistics of a data set and have none. The weights may be changed, by
// training for example, while no rollout is running; the next one uses the new ones.
func NewEmulator(w *Weights, o EmulatorOptions) (*Emulator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("walrus: emulator: expected weights, got none")
	}
	c := w.Config()
	if o.JitterOff {
		c.Jitter = JitterOff
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Ensemble, o.Batch = max(o.Ensemble, 1), max(o.Batch, 1)
	scaling, err := w.scalingFor(o)
	if err != nil {
		return nil, err
	}
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	return &Emulator{opts: o, scaling: scaling, model: m, weights: w, programs: map[string]*stepProgram{}, warned: map[string]bool{}}, nil
}

// Model returns the network, with jitter as the options say.
func (e *Emulator) Model() *Model { return e.model }

// Scaling returns how the emulator normalises fields.
func (e *Emulator) Scaling() Scaling { return e.scaling }

// Emulate forecasts the frame after the window. The result holds the variable
// channels of the window, in its order, units and axes: [C·H·W·D].
//
// The window must name fields the network knows, a boundary for every axis and
// side, and at least one frame. More frames tell the network how fast things
// change; the released weights were trained with 6 in 2D and 3 in 3D.
func (e *Emulator) Emulate(ctx context.Context, w *data.Window) ([]float32, error) {
	for frame, err := range e.Rollout(ctx, w, 1) {
		return frame.Values, err
	}
	return nil, ctx.Err()
}

// Forecast is Rollout that returns all frames at once.
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
}

// Rollout forecasts the given number of frames one after the other, each from
// the window moved on by one frame (SPEC §9). It stops after the first error,
// which it yields; cancelling ctx is noticed before every step.
//
//	for frame, err := range em.Rollout(ctx, window, 20) {
//		if err != nil { … }
//	}
func (e *Emulator) Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[Frame, error] {
	return e.RolloutEvery(ctx, w, steps, 1)
}

// RolloutEvery is Rollout that yields every every-th frame only: the others never leave
// the device.
func (e *Emulator) RolloutEvery(ctx context.Context, w *data.Window, steps, every int) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		rng := rand.New(rand.NewPCG(e.opts.Seed, 0x656d756c61746f72))
		e.rollout(ctx, w, steps, every, yield, func(r *rollout) Draws { return e.draw(rng, r.plan) })
	}
}

// draw draws as the options say.
func (e *Emulator) draw(rng *rand.Rand, plan *csm.Plan) Draws {
	d := e.model.Draw(rng, plan)
	if e.opts.NoRolls {
		d.Rolls = nil
	}
	return d
}

// Replay is Rollout with given draws: Ensemble draws for each step, so their
// number must be a multiple of Ensemble.
func (e *Emulator) Replay(ctx context.Context, w *data.Window, draws []Draws) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		if n := e.opts.Ensemble; len(draws)%n != 0 {
			yield(Frame{}, fmt.Errorf("walrus: replay: expected %d draws for every step, got %d in all", n, len(draws)))
			return
		}
		if e.opts.Cache != nil {
			yield(Frame{}, fmt.Errorf("walrus: replay: expected an emulator without a cache, which draws once for many steps"))
			return
		}
		next := 0
		e.rollout(ctx, w, len(draws)/e.opts.Ensemble, 1, yield, func(*rollout) Draws {
			next++
			return draws[next-1]
		})
	}
}

// Average runs members independent rollouts, each with its own draws, and
// yields the mean of their frames (the release's full-trajectory ensemble).
func (e *Emulator) Average(ctx context.Context, w *data.Window, steps, members int) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		if members < 1 || steps < 0 {
			yield(Frame{}, fmt.Errorf("walrus: average: expected at least 1 member and 0 steps, got %d and %d", members, steps))
			return
		}
		rng := rand.New(rand.NewPCG(e.opts.Seed, 0x656e73656d626c65))
		draw := func(r *rollout) Draws { return e.draw(rng, r.plan) }
		var runs []*rollout
		for left := members; left > 0; {
			r, err := e.begin(w, min(e.opts.Batch, left))
			if err != nil {
				yield(Frame{}, err)
				return
			}
			defer r.close()
			runs, left = append(runs, r), left-r.lanes
		}
		for step := 1; step <= steps; step++ {
			var sum []float64
			for _, r := range runs {
				frames, err := r.next(ctx, step, draw, true)
				if err != nil {
					yield(Frame{}, err)
					return
				}
				for _, u := range frames {
					sum = addTo(sum, u, 1/float64(members))
				}
			}
			if !yield(Frame{Step: step, Values: single(sum)}, nil) {
				return
			}
		}
	}
}

// rollout runs the steps of one trajectory.
func (e *Emulator) rollout(ctx context.Context, w *data.Window, steps, every int, yield func(Frame, error) bool, draw func(*rollout) Draws) {
	if steps < 0 {
		yield(Frame{}, fmt.Errorf("walrus: rollout: expected a number of steps, got %d", steps))
		return
	}
	if every < 1 {
		yield(Frame{}, fmt.Errorf("walrus: rollout: expected to yield every frame (1) or every n-th, got %d", every))
		return
	}
	r, err := e.begin(w, 1)
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
		if asked && !yield(Frame{Step: step, Values: values[0]}, nil) {
			return
		}
	}
}

// addTo adds values, times a weight, to a sum.
func addTo(sum []float64, u []float32, weight float64) []float64 {
	if sum == nil {
		sum = make([]float64, len(u))
	}
	for i, v := range u {
		sum[i] += weight * float64(v)
	}
	return sum
}

// single is a sum in single precision.
func single(sum []float64) []float32 {
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v)
	}
	return out
}
