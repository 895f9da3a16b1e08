package walrus

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// label names a window in errors.
func label(w *data.Window) string {
	if w.Name == "" {
		return "window"
	}
	return "window " + w.Name
}

// rollout is the state of one rollout, or of several from the same window (lanes): the
// latest frames on the device and the inputs of the programs.
type rollout struct {
	e       *Emulator
	window  *data.Window
	volume  data.Volume
	plan    *csm.Plan
	program *stepProgram
	weights inputs.List
	lanes   int               // rollouts computed together
	frames  []*tensors.Tensor // [T] of [1, lanes, Cv, H, W, D], with padding components, on the device
	fixed   inputs.List       // inputs that are the same at every step
	stats   inputs.List       // statistics of the data set; without them, of the history
	// caches holds one KV cache per part of the ensemble's draws; nil without a cache.
	caches []*kvCache
}

// begin checks a window and prepares the given number of rollouts of it. The caller must
// close the result.
func (e *Emulator) begin(ctx context.Context, w *data.Window, lanes int) (*rollout, error) {
	if ctx == nil {
		return nil, fmt.Errorf("walrus: rollout: expected a context, got nil")
	}
	if w == nil {
		return nil, fmt.Errorf("walrus: rollout: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	r := &rollout{e: e, window: w, volume: w.Volume(), lanes: lanes}
	if err := r.open(ctx); err != nil {
		r.close()
		return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
	}
	return r, nil
}

// open plans the rollout and places its inputs and programs on the device.
func (r *rollout) open(ctx context.Context) error {
	grid, err := r.e.opts.Resize.Grid(r.window.Grid)
	if err != nil {
		return err
	}
	if r.plan, err = r.e.model.Plan(grid, r.window.Boundaries); err != nil {
		return err
	}
	if err := r.checkMemory(); err != nil {
		return err
	}
	if err := r.inputs(); err != nil {
		return err
	}
	if err := r.load(r.window.Frames); err != nil {
		return err
	}
	if r.e.opts.Cache != nil {
		if err := r.newCaches(*r.e.opts.Cache); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("step 1: %w", cancelled(ctx))
	}
	if r.program, err = r.e.acquire(r); err != nil {
		return err
	}
	r.weights, err = r.e.place(r.program.keys)
	return err
}

// load copies the frames of the window into every lane.
func (r *rollout) load(frames [][]float32) error {
	n := len(r.volume.Variable) * r.volume.Points()
	for _, f := range frames {
		flat := make([]float32, r.lanes*n)
		if err := r.volume.Spread(flat[:n], f, r.volume.Source); err != nil {
			return err
		}
		for i := 1; i < r.lanes; i++ {
			copy(flat[i*n:], flat[:n])
		}
		r.frames = append(r.frames, r.frame(flat))
	}
	return nil
}

// frame returns a tensor of one frame of all lanes, in the shape of the programs' inputs.
func (r *rollout) frame(values []float32) *tensors.Tensor {
	s := r.volume.Shape
	return tensors.FromFlatDataAndDimensions(values, 1, r.lanes, len(r.volume.Variable), s[0], s[1], s[2])
}

// close frees the tensors of the rollout on the device.
func (r *rollout) close() {
	for _, m := range r.caches {
		m.close()
	}
	finalizeAll(r.frames)
	r.fixed.Free()
	r.stats.Free()
	r.e.release(r.program)
}

// inputs prepares the inputs that are the same at every step.
func (r *rollout) inputs() error {
	ids, err := r.volume.IDs(r.e.model.config.Registry)
	if err != nil {
		return err
	}
	real := make([]float32, len(r.volume.Variable))
	for i, ok := range r.volume.Real {
		if ok {
			real[i] = 1
		}
	}
	r.fixed.Add("ids", tensors.FromFlatDataAndDimensions(ids, len(ids)))
	r.fixed.Add("real", tensors.FromFlatDataAndDimensions(real, len(real)))
	if n := len(r.volume.Constant); n > 0 {
		flat := make([]float32, n*r.volume.Points())
		if err := r.volume.Spread(flat, r.window.Constants, r.volume.ConstantSource); err != nil {
			return err
		}
		s := r.volume.Shape
		r.fixed.Add("constants", tensors.FromFlatDataAndDimensions(flat, 1, n, s[0], s[1], s[2]))
	}
	if r.e.scaling.Statistics == nil {
		return nil
	}
	s, err := GlobalStats(r.e.scaling, r.window.Fields)
	if err != nil {
		return err
	}
	r.stats.AddStatistics(s.Tensors())
	return nil
}

// next forecasts a frame of every lane, drops the first frame of the window and appends
// the forecast. It returns the values of the forecast frames only if asked is true.
func (r *rollout) next(ctx context.Context, step int, draw func(*rollout) Draws, asked bool) ([][]float32, error) {
	fail := func(err error) ([][]float32, error) {
		return nil, fmt.Errorf("walrus: %s: step %d: %w", label(r.window), step, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(cancelled(ctx))
	}
	if r.e.uses.Closed() {
		return fail(ErrClosed)
	}
	u, finite, err := r.forecast(draw)
	if err != nil {
		return fail(err)
	}
	r.frames[0].FinalizeAll()
	r.frames = append(r.frames[1:], u)
	if finite && !asked {
		return nil, nil
	}
	flat, err := tensors.CopyFlatData[float32](u)
	if err != nil {
		return fail(err)
	}
	n := len(flat) / r.lanes
	var out [][]float32
	if !finite {
		i := nonfinite.First(flat)
		return fail(&DivergedError{Step: step, Field: r.volume.Variable[i%n/r.volume.Points()], Value: flat[i]})
	}
	for i := range r.lanes {
		frame, err := r.volume.Gather(flat[i*n : (i+1)*n])
		if err != nil {
			return fail(err)
		}
		out = append(out, frame)
	}
	return out, nil
}

// forecast returns the next frame of every lane, averaged over the ensemble's draws, and
// whether all its values are finite.
func (r *rollout) forecast(draw func(*rollout) Draws) (u *tensors.Tensor, finite bool, err error) {
	members := r.e.opts.Ensemble
	var drawn []Draws // members draws of the first lane, then of the second …
	if r.caches == nil || r.caches[0].stale() {
		for range r.lanes * members {
			drawn = append(drawn, draw(r))
		}
	}
	var sum []float64
	for i, part := range r.parts() {
		var list []Draws
		for lane := 0; drawn != nil && lane < r.lanes; lane++ {
			list = append(list, drawn[lane*members+part.from:lane*members+part.to]...)
		}
		if r.caches != nil {
			u, finite, err = r.caches[i].next(list)
		} else {
			u, finite, err = r.run(list)
		}
		if err != nil || part.to-part.from == members {
			return u, finite, err
		}
		flat, err := tensors.CopyFlatData[float32](u)
		u.FinalizeAll()
		if err != nil {
			return nil, false, err
		}
		sum = addTo(sum, flat, float64(part.to-part.from)/float64(members))
	}
	values := single(sum)
	return r.frame(values), nonfinite.First(values) < 0, nil
}

// part is a range of an ensemble's draws.
type part struct{ from, to int }

// parts splits the draws of a lane into ranges that pass the network together.
func (r *rollout) parts() []part {
	members := r.e.opts.Ensemble
	at := max(r.e.opts.Batch/r.lanes, 1)
	var out []part
	for from := 0; from < members; from += at {
		out = append(out, part{from, min(from+at, members)})
	}
	return out
}

// cancelled returns the context's error, with the cause if it is another error.
func cancelled(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

// run executes the program on the current window with the draws of every lane.
func (r *rollout) run(list []Draws) (u *tensors.Tensor, finite bool, err error) {
	drawn, err := r.drawn(list)
	if err != nil {
		return nil, false, err
	}
	defer drawn.Free()
	out, err := r.call(r.program.step, r.weights, r.history(), drawn, r.fixed, r.stats)
	if err != nil {
		return nil, false, err
	}
	return outputs(out)
}

// drawn returns the inputs that hold the draws of every lane.
func (r *rollout) drawn(list []Draws) (l inputs.List, err error) {
	shift, rolls, err := r.e.model.batch(list, r.plan)
	if err != nil {
		return nil, err
	}
	l.Add("shift", shift)
	l.Add("rolls", rolls)
	return l, nil
}

// history returns the inputs that hold the frames of the window.
func (r *rollout) history() (l inputs.List) {
	for i, x := range r.frames {
		l.Add(frameName(i), x)
	}
	return l
}

// frameName names the input that holds a frame of the window.
func frameName(i int) string { return "frame " + strconv.Itoa(i) }

// call executes a program on the emulator's device.
func (r *rollout) call(p *inputs.Program, lists ...inputs.List) ([]*tensors.Tensor, error) {
	return p.Call(compute.DeviceNum(r.e.opts.Device), slices.Concat(lists...))
}

func finalizeAll(list []*tensors.Tensor) {
	for _, t := range list {
		t.FinalizeAll()
	}
}
