package walrus

import (
	"context"
	"errors"
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

// rollout is the state of one rollout, or of several computed together (lanes): the latest frames on the device and the inputs of the programs.
type rollout struct {
	e      *Emulator
	window *data.Window
	// windows holds the window of each lane, which differ in their frames only; nil once the
	// frames are on the device, unless corrections need it.
	windows []*data.Window
	// members holds the number of each lane in an ensemble; nil outside.
	members []int
	source  *Weights
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
	limits []limit // by channel; nil without checks
	// scales are those of the window's channels; nil before the first interval.
	// uncalibrated says that there are no more intervals.
	scales       []float64
	uncalibrated bool
}

// begin checks a window and prepares a rollout of it. The caller must close the result.
func (e *Emulator) begin(ctx context.Context, w *data.Window) (*rollout, error) {
	return e.beginLanes(ctx, []*data.Window{w}, nil, e.weights)
}

// beginLanes prepares a rollout of several lanes with the given weights. The windows differ
// in their frames only. The caller must close the result.
func (e *Emulator) beginLanes(ctx context.Context, windows []*data.Window, members []int, source *Weights) (*rollout, error) {
	if ctx == nil {
		return nil, fmt.Errorf("walrus: rollout: expected a context, got nil")
	}
	for _, w := range windows {
		if w == nil {
			return nil, fmt.Errorf("walrus: rollout: expected a window, got none")
		}
		if err := w.Validate(); err != nil {
			return nil, err
		}
	}
	w := windows[0]
	if err := e.enter(source); err != nil {
		return nil, err
	}
	r := &rollout{e: e, window: w, windows: windows, members: members, source: source, volume: w.Volume(), lanes: len(windows)}
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
	if err := r.load(); err != nil {
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
	if r.weights, err = r.e.place(r.source, r.program.keys); err != nil {
		return err
	}
	if err := r.e.warnUnlike(r.window); err != nil {
		return err
	}
	return r.newLimits()
}

// load copies the frames of the windows to the device.
func (r *rollout) load() error {
	lanes := make([][]float32, r.lanes)
	for t := range r.window.Frames {
		for i, w := range r.windows {
			lanes[i] = w.Frames[t]
		}
		x, err := r.spread(lanes)
		if err != nil {
			return err
		}
		r.frames = append(r.frames, x)
	}
	if r.e.opts.Between == nil {
		r.windows = nil // only corrections read them again
	}
	return nil
}

// spread returns a tensor of one frame of every lane; it is the inverse of gather.
func (r *rollout) spread(lanes [][]float32) (*tensors.Tensor, error) {
	n := len(r.volume.Variable) * r.volume.Points()
	flat := make([]float32, r.lanes*n)
	for i, f := range lanes {
		if err := r.volume.Spread(flat[i*n:(i+1)*n], f, r.volume.Source); err != nil {
			return nil, err
		}
	}
	return r.frame(flat), nil
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
	r.e.release(r.source, r.program)
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
	if len(r.volume.Constant) > 0 {
		x, err := r.constants(r.window.Constants)
		if err != nil {
			return err
		}
		r.fixed.Add(constantsName, x)
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

// constants returns a tensor of constant fields, [1, Cc, H, W, D], from the window's layout.
func (r *rollout) constants(values []float32) (*tensors.Tensor, error) {
	n, s := len(r.volume.Constant), r.volume.Shape
	flat := make([]float32, n*r.volume.Points())
	if err := r.volume.Spread(flat, values, r.volume.ConstantSource); err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(flat, 1, n, s[0], s[1], s[2]), nil
}

// next forecasts a frame of every lane, drops the first frame of the window and appends
// the forecast. It returns the values of the forecast frames only if asked is true.
func (r *rollout) next(ctx context.Context, step int, draw func(r *rollout, lane int) Draws, asked bool) ([][]float32, error) {
	fail := func(err error) ([][]float32, error) {
		where := label(r.window)
		if r.members != nil {
			where += fmt.Sprintf(": members %v", r.members)
		}
		return nil, fmt.Errorf("walrus: %s: step %d: %w", where, step, err)
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
	if !finite {
		return fail(r.notFinite(step, u))
	}
	if r.e.opts.Between != nil {
		if u, err = r.correct(step, u); err != nil {
			return fail(fmt.Errorf("EmulatorOptions.Between: %w", err))
		}
		r.frames[len(r.frames)-1] = u
	}
	if err := r.checkLimits(step, u); err != nil {
		return fail(err)
	}
	if !asked {
		return nil, nil
	}
	flat, err := tensors.CopyFlatData[float32](u)
	if err != nil {
		return fail(err)
	}
	out, err := r.gather(flat)
	if err != nil {
		return fail(err)
	}
	return out, nil
}

// gather returns the frame of every lane, without padding components.
func (r *rollout) gather(flat []float32) (out [][]float32, err error) {
	n := len(flat) / r.lanes
	for i := range r.lanes {
		frame, err := r.volume.Gather(flat[i*n : (i+1)*n])
		if err != nil {
			return nil, err
		}
		out = append(out, frame)
	}
	return out, nil
}

// forecast returns the next frame of every lane, averaged over the ensemble's draws, and
// whether all its values are finite.
func (r *rollout) forecast(draw func(r *rollout, lane int) Draws) (u *tensors.Tensor, finite bool, err error) {
	members := r.e.opts.Ensemble
	var drawn []Draws // members draws of the first lane, then of the second …
	if r.caches == nil || r.caches[0].stale() {
		for i := range r.lanes * members {
			drawn = append(drawn, draw(r, i/members))
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
	cause := context.Cause(ctx)
	if !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return cause
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

// interval returns the interval of a forecast frame, or nil without a calibration of it.
func (r *rollout) interval(step int, values []float32) (_ *Interval, err error) {
	c := r.e.opts.Calibration
	if c == nil || r.uncalibrated {
		return nil, nil
	}
	if r.scales == nil {
		if r.scales, err = FieldScales(r.window); err != nil {
			return nil, err
		}
	}
	i, err := c.interval(r.window, r.scales, step, values, r.e.opts.Level)
	if errors.Is(err, ErrNotCalibrated) {
		r.uncalibrated = true
		r.e.opts.Log.Warn("no intervals from this step on", "window", r.window.Name, "step", step, "reason", err)
		return nil, nil
	}
	return i, err
}
