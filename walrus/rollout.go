package walrus

import (
	"context"
	"fmt"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
)

// stepProgram is NextFrame compiled for one shape class; keys are the weights it
// takes.
type stepProgram struct {
	exec *Exec
	keys []string
	// stats computes the statistics of a window, and zero stands for keys and values of
	// a frame that is not there, for rollouts with a cache.
	stats *Exec
	zero  *tensors.Tensor
}

func (p *stepProgram) close() {
	p.exec.Finalize()
	if p.stats != nil {
		p.stats.Finalize()
	}
	if p.zero != nil {
		p.zero.FinalizeAll()
	}
}

// label names a window in errors.
func label(w *data.Window) string {
	if w.Name == "" {
		return "window"
	}
	return "window " + w.Name
}

// rollout is the state of one trajectory: the window that moves.
type rollout struct {
	e       *Emulator
	window  *data.Window
	volume  data.Volume
	plan    *csm.Plan
	program *stepProgram
	params  []*tensors.Tensor
	frames  [][]float32       // [T] of [Cv·H·W·D], with padding components
	fixed   []*tensors.Tensor // inputs that stay the same
	global  int               // where a data set's statistics begin in fixed
	// memory is what members of the ensemble keep, if there is a cache.
	memory []*memory
}

// begin checks a window and prepares its rollout.
func (e *Emulator) begin(w *data.Window) (*rollout, error) {
	if w == nil {
		return nil, fmt.Errorf("walrus: rollout: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	fail := func(err error) (*rollout, error) { return nil, fmt.Errorf("walrus: %s: %w", label(w), err) }
	r := &rollout{e: e, window: w, volume: w.Volume()}
	grid, err := e.opts.Step.Resize.Grid(w.Grid)
	if err != nil {
		return fail(err)
	}
	if r.plan, err = e.model.Plan(grid, w.Boundaries); err != nil {
		return fail(err)
	}
	if err := r.inputs(); err != nil {
		return fail(err)
	}
	for _, f := range w.Frames {
		spread := make([]float32, len(r.volume.Variable)*r.volume.Points())
		if err := r.volume.Spread(spread, f, r.volume.Source); err != nil {
			return fail(err)
		}
		r.frames = append(r.frames, spread)
	}
	if e.opts.Cache != nil {
		for range e.opts.Ensemble {
			m, err := r.newMemory()
			if err != nil {
				return nil, err
			}
			r.memory = append(r.memory, m)
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

// close frees what the rollout keeps on the device.
func (r *rollout) close() {
	for _, m := range r.memory {
		m.replaced()
		m.close()
	}
	finalizeAll(r.fixed)
}

// inputs prepares what does not change from step to step.
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
	if e.opts.Statistics == nil {
		return nil, nil
	}
	s, err := GlobalStats(e.opts.Statistics, fields, e.opts.Step)
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
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.programs[class]; ok {
		return p, nil
	}
	begin := time.Now()
	compile := e.compile
	if r.memory != nil {
		compile = func(r *rollout) (*stepProgram, error) { return e.compileCached(r, r.memory[0].slots) }
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
	p, plan, volume := &stepProgram{keys: keys}, r.plan, r.volume
	p.exec, err = NewExec(e.opts.Backend, func(in []*Node) *Node {
		nodes := map[string]*Node{}
		for i, key := range keys {
			nodes[key] = in[i]
		}
		vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return nodes[key] })
		return e.model.NextFrame(e.model.WeightsFor(vars, plan), e.stepInputs(in[len(keys):], volume), plan, e.opts.Step)
	})
	return p, err
}

// place returns the weights as they are now, on the device: a tensor that moves
// there on its first use must not be used by two rollouts at once.
func (e *Emulator) place(keys []string) ([]*tensors.Tensor, error) {
	params, err := e.weights.Tensors(keys)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, t := range params {
		if err := t.MaterializeOnDevice(e.opts.Backend, true, 0); err != nil {
			return nil, fmt.Errorf("placing %s on %s: %w", keys[i], e.opts.Backend.Name(), err)
		}
	}
	return params, nil
}

// stepInputs names the inputs: history, shift, rolls, then rollout.fixed.
func (e *Emulator) stepInputs(in []*Node, v data.Volume) StepInputs {
	s := StepInputs{History: in[0], Real: in[4], Net: Inputs{Shift: in[1], Rolls: in[2], IDs: in[3]}}
	in = in[5:]
	if len(v.Constant) > 0 {
		s.Constants, in = in[0], in[1:]
		if v.Mask >= 0 {
			s.Solid = SliceAxis(s.Constants, 1, AxisElem(v.Mask))
		}
	}
	if len(in) == 4 {
		s.Stats = &Stats{Mean: in[0], Std: in[1], DeltaMean: in[2], DeltaStd: in[3]}
	}
	return s
}

// next forecasts one frame and moves the window on.
func (r *rollout) next(ctx context.Context, step int, draw func(*rollout) Draws) ([]float32, error) {
	fail := func(err error) ([]float32, error) {
		return nil, fmt.Errorf("walrus: %s: step %d: %w", label(r.window), step, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(cancelled(ctx))
	}
	u, err := r.forecast(draw)
	if err != nil {
		return fail(err)
	}
	if i := firstBad(u); i >= 0 {
		return fail(fmt.Errorf("the forecast of field %s is %v: the rollout diverged", r.volume.Variable[i/r.volume.Points()], u[i]))
	}
	r.frames = append(r.frames[1:], u)
	return r.volume.Gather(u), nil
}

// forecast is the mean of the next frame over the ensemble's draws.
func (r *rollout) forecast(draw func(*rollout) Draws) ([]float32, error) {
	var sum []float64
	for i := range r.e.opts.Ensemble {
		var u []float32
		var err error
		if r.memory != nil {
			u, err = r.memory[i].next(func() Draws { return draw(r) })
		} else {
			u, err = r.run(draw(r))
		}
		if err != nil || r.e.opts.Ensemble == 1 {
			return u, err
		}
		sum = addTo(sum, u)
	}
	for _, m := range r.memory {
		m.replaced()
	}
	return scaled(sum, 1/float64(r.e.opts.Ensemble)), nil
}

// cancelled is the context's error, with its cause if that says more.
func cancelled(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

// run executes the program on the present window.
func (r *rollout) run(d Draws) ([]float32, error) {
	shift, rolls, err := r.e.model.Tensors(d, r.plan)
	if err != nil {
		return nil, err
	}
	args := make([]any, 0, len(r.params)+8)
	for _, t := range r.params {
		args = append(args, t)
	}
	own := []*tensors.Tensor{
		r.history(), shift, rolls,
	}
	for _, t := range append(own, r.fixed...) {
		args = append(args, t)
	}
	out, err := r.program.exec.Call(args...)
	if err != nil {
		return nil, err
	}
	u, err := tensors.CopyFlatData[float32](out[0])
	for _, t := range append(own, out...) {
		t.FinalizeAll()
	}
	return u, err
}

// history is the present window as the program takes it.
func (r *rollout) history() *tensors.Tensor {
	s := r.volume.Shape
	flat := make([]float32, 0, len(r.frames)*len(r.frames[0]))
	for _, f := range r.frames {
		flat = append(flat, f...)
	}
	return tensors.FromFlatDataAndDimensions(flat, len(r.frames), 1, len(r.volume.Variable), s[0], s[1], s[2])
}
