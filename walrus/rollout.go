package walrus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
	"github.com/gowalrus/gowalrus/layers"
)

// stepProgram is NextFrame compiled for one shape class. keys are the keys of the weights
// among its inputs.
type stepProgram struct {
	exec *Exec
	keys []string
	// stats computes the statistics of a window, for rollouts with a cache.
	stats *Exec
}

func (p *stepProgram) close() {
	p.exec.Finalize()
	if p.stats != nil {
		p.stats.Finalize()
	}
}

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
	params  []*tensors.Tensor
	lanes   int               // rollouts computed together
	frames  []*tensors.Tensor // [T] of [1, lanes, Cv, H, W, D], with padding components, on the device
	fixed   []*tensors.Tensor // inputs that are the same at every step
	global  int               // index in fixed of the first statistic of a data set
	// memory holds one KV cache per part of the ensemble's draws; nil without a cache.
	memory []*memory
}

// begin checks a window and prepares the given number of rollouts of it.
func (e *Emulator) begin(w *data.Window, lanes int) (*rollout, error) {
	if w == nil {
		return nil, fmt.Errorf("walrus: rollout: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	r := &rollout{e: e, window: w, volume: w.Volume(), lanes: lanes}
	fail := func(err error) (*rollout, error) {
		r.close()
		return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
	}
	grid, err := e.opts.Resize.Grid(w.Grid)
	if err != nil {
		return fail(err)
	}
	if r.plan, err = e.model.Plan(grid, w.Boundaries); err != nil {
		return fail(err)
	}
	if err := r.inputs(); err != nil {
		return fail(err)
	}
	if err := r.takeIn(w.Frames); err != nil {
		return fail(err)
	}
	if e.opts.Cache != nil {
		if err := r.remember(*e.opts.Cache); err != nil {
			return fail(err)
		}
	}
	if r.program, err = e.program(r); err != nil {
		return fail(err)
	}
	if r.params, err = e.place(r.program.keys); err != nil {
		return fail(err)
	}
	return r, nil
}

// takeIn copies the frames of the window into every lane.
func (r *rollout) takeIn(frames [][]float32) error {
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
	for _, m := range r.memory {
		m.close()
	}
	finalizeAll(r.frames)
	finalizeAll(r.fixed)
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
	r.fixed = []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(ids, len(ids)),
		tensors.FromFlatDataAndDimensions(real, len(real)),
	}
	if n := len(r.volume.Constant); n > 0 {
		flat := make([]float32, n*r.volume.Points())
		if err := r.volume.Spread(flat, r.window.Constants, r.volume.ConstantSource); err != nil {
			return err
		}
		s := r.volume.Shape
		r.fixed = append(r.fixed, tensors.FromFlatDataAndDimensions(flat, 1, n, s[0], s[1], s[2]))
	}
	r.global = len(r.fixed)
	global, err := r.e.globalStats(r.window.Fields)
	r.fixed = append(r.fixed, global...)
	return err
}

// globalStats returns mean, std, delta mean and delta std as [1, 1, C, 1, 1, 1]
// or nothing when statistics come from the history.
func (e *Emulator) globalStats(fields []data.Field) ([]*tensors.Tensor, error) {
	if e.scaling.Statistics == nil {
		return nil, nil
	}
	s, err := GlobalStats(e.scaling, fields)
	if err != nil {
		return nil, err
	}
	var out []*tensors.Tensor
	for _, v := range [][]float32{s.Mean, s.Std, s.DeltaMean, s.DeltaStd} {
		out = append(out, tensors.FromFlatDataAndDimensions(v, 1, 1, len(v), 1, 1, 1))
	}
	return out, nil
}

// program returns the compiled step of the rollout's shape class.
func (e *Emulator) program(r *rollout) (*stepProgram, error) {
	var sides string
	for _, a := range r.plan.Axes {
		sides += a.Boundary.String() + " "
	}
	class := fmt.Sprintf("grid %v boundaries %sT=%d channels %d+%d mask %d",
		r.volume.Shape, sides, len(r.window.Frames), len(r.volume.Variable), len(r.volume.Constant), r.volume.Mask)
	if r.memory != nil {
		class += fmt.Sprintf(" cached %d", r.memory[0].slots)
	}
	if e.opts.Batch > 1 {
		class += fmt.Sprintf(" lanes %d", r.lanes)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.programs[class]; ok {
		return p, nil
	}
	e.warn(r)
	begin := time.Now()
	compile := e.compile
	if r.memory != nil {
		compile = e.compileCached
	}
	p, err := compile(r)
	if err != nil {
		return nil, fmt.Errorf("building the program for %s: %w", class, err)
	}
	e.programs[class] = p
	e.opts.Log.Info("built", "program", "step", "class", class, "seconds", time.Since(begin).Seconds())
	return p, nil
}

func (e *Emulator) compile(r *rollout) (*stepProgram, error) {
	params, err := e.model.ParamsFor(r.plan)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(params))
	for i, q := range params {
		keys[i] = q.Key
	}
	p, steps := &stepProgram{keys: keys}, len(r.frames)
	p.exec, err = NewExec(e.opts.Backend, func(in []*Node) []*Node {
		weights, in := e.model.named(keys, in, r.plan), in[len(keys):]
		step := e.stepInputs(Concatenate(in[:steps], 0), in[steps:], r.volume)
		return result(e.model.NextFrame(weights, step, r.plan, e.scaling), r.lanes)
	})
	return p, err
}

// named returns the nodes of a program's parameters by their place in the network; keys
// are the names of the nodes in.
func (m *Model) named(keys []string, in []*Node, plan *csm.Plan) ModelWeights {
	nodes := map[string]*Node{}
	for i, key := range keys {
		nodes[key] = in[i]
	}
	return m.WeightsFor(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return nodes[key] }), plan)
}

// result averages u [lanes·draws, Cv, H, W, D] over the draws of each lane. It returns
// the next frame, [1, lanes, Cv, H, W, D], and whether all its values are finite.
func result(u *Node, lanes int) []*Node {
	d := u.Shape().Dimensions
	if d[0] != lanes {
		u = ReduceMean(Reshape(u, append([]int{lanes, d[0] / lanes}, d[1:]...)...), 1)
	}
	return []*Node{ExpandAxes(u, 0), LogicalAll(IsFinite(u))}
}

// perDraw repeats the entries along an axis, one per lane, for the draws of each lane;
// n is the total number of draws.
func perDraw(x *Node, axis, n int) *Node {
	d := x.Shape().Clone().Dimensions
	lanes := d[axis]
	if lanes == n {
		return x
	}
	spread := slices.Insert(slices.Clone(d), axis+1, n/lanes)
	d[axis] = n
	return Reshape(BroadcastToDims(ExpandAxes(x, axis+1), spread...), d...)
}

// place moves the current weights to the device and returns them.
func (e *Emulator) place(keys []string) ([]*tensors.Tensor, error) {
	params, err := e.weights.Tensors(keys)
	if err != nil {
		return nil, err
	}
	// Placing a tensor on the device changes it, so only one rollout may do it at a time.
	e.weights.placing.Lock()
	defer e.weights.placing.Unlock()
	if on := e.weights.device; on != 0 && on != e.opts.Device+1 {
		return nil, fmt.Errorf("the weights are on device %d: expected an emulator on this device, or a copy of the weights (Weights.Clone) for device %d", on-1, e.opts.Device)
	}
	e.weights.device = e.opts.Device + 1
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, t := range params {
		if err := t.MaterializeOnDevice(e.opts.Backend, true, compute.DeviceNum(e.opts.Device)); err != nil {
			return nil, fmt.Errorf("placing %s on %s: %w", keys[i], e.opts.Backend.Name(), err)
		}
		if e.opts.Precision != BFloat16 {
			continue
		}
		if params[i], err = e.rounded.round(e.opts, keys[i], t); err != nil {
			return nil, fmt.Errorf("rounding %s: %w", keys[i], err)
		}
	}
	return params, nil
}

// stepInputs assigns the inputs of a step with history [T, lanes, Cv, H, W, D] to their
// names. in holds shift, rolls, rollout.fixed and statistics, in that order. Inputs that
// exist once per lane are repeated for each of its draws.
func (e *Emulator) stepInputs(history *Node, in []*Node, v data.Volume) StepInputs {
	draws := 1
	if in[0].Rank() == 2 {
		draws = in[0].Shape().Dim(0)
	}
	s := StepInputs{History: perDraw(history, 1, draws), Real: in[3], Resize: e.opts.Resize, Net: Inputs{Shift: in[0], Rolls: in[1], IDs: in[2]}}
	in = in[4:]
	if len(v.Constant) > 0 {
		s.Constants, in = perDraw(in[0], 0, draws), in[1:]
		if v.Mask >= 0 {
			s.Solid = SliceAxis(s.Constants, 1, AxisElem(v.Mask))
		}
	}
	if len(in) == 4 {
		stat := func(x *Node) *Node { return perDraw(x, 1, draws) }
		s.Stats = &Stats{Mean: stat(in[0]), Std: stat(in[1]), DeltaMean: stat(in[2]), DeltaStd: stat(in[3])}
	}
	return s
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
	if r.memory == nil || r.memory[0].due() {
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
		if r.memory != nil {
			u, finite, err = r.memory[i].next(list)
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
	shift, rolls, err := r.e.model.batch(list, r.plan)
	if err != nil {
		return nil, false, err
	}
	defer finalizeAll([]*tensors.Tensor{shift, rolls})
	out, err := r.call(r.program.exec, r.params, r.frames, []*tensors.Tensor{shift, rolls}, r.fixed)
	if err != nil {
		return nil, false, err
	}
	return taken(out)
}

// call executes a program on the emulator's device.
func (r *rollout) call(exec *Exec, args ...[]*tensors.Tensor) ([]*tensors.Tensor, error) {
	var all []any
	for _, list := range args {
		for _, t := range list {
			all = append(all, t)
		}
	}
	out, _, err := exec.CallWithGraphOnDevice(compute.DeviceNum(r.e.opts.Device), all...)
	return out, err
}

// taken splits the outputs of a program into the next frame and its finiteness flag, the
// two nodes of result.
func taken(out []*tensors.Tensor) (u *tensors.Tensor, finite bool, err error) {
	flag, err := tensors.CopyFlatData[bool](out[1])
	out[1].FinalizeAll()
	if err != nil {
		out[0].FinalizeAll()
		return nil, false, err
	}
	return out[0], flag[0], nil
}
