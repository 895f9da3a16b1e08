package walrus

import (
	"container/list"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/layers"
)

// stepProgram is NextFrame compiled for one shape class. keys are the keys of the weights
// among its inputs.
type stepProgram struct {
	class string
	keys  []string
	step  *inputs.Program
	// stats computes the statistics of a window, for rollouts with a cache.
	stats *inputs.Program
	// extents measures a frame, for the checks of divergence.
	extents *inputs.Program
	// pull and push are the derivatives of the step, by whether statistics are constant; they
	// are built when they are first called. They are nil for rollouts with a cache.
	pull, push map[bool]*inputs.Program
	// objective is the objective that step computes, in a program without a network. It stays
	// here so that no other objective gets its address.
	objective *Objective
	users     int // rollouts that use it
}

func (p *stepProgram) close() {
	for _, x := range []*inputs.Program{p.step, p.stats, p.extents, p.pull[false], p.pull[true], p.push[false], p.push[true]} {
		if x != nil {
			x.Close()
		}
	}
}

// programs holds the compiled programs of an emulator, the latest used first.
type programs struct {
	order list.List // of *stepProgram
	class map[string]*list.Element
}

// get returns the program of a class, or nil.
func (p *programs) get(class string) *stepProgram {
	e, ok := p.class[class]
	if !ok {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*stepProgram)
}

// add adds a program.
func (p *programs) add(x *stepProgram) {
	if p.class == nil {
		p.class = map[string]*list.Element{}
	}
	p.class[x.class] = p.order.PushFront(x)
}

// shrink frees the least recently used programs that no rollout uses until at most n are
// left, and returns how many it freed.
func (p *programs) shrink(n int) (freed int) {
	for e := p.order.Back(); e != nil && p.order.Len() > n; {
		x, before := e.Value.(*stepProgram), e.Prev()
		if x.users == 0 {
			x.close()
			p.order.Remove(e)
			delete(p.class, x.class)
			freed++
		}
		e = before
	}
	return freed
}

// acquire returns the compiled step of the rollout's shape class. The rollout must release
// it.
func (e *Emulator) acquire(r *rollout) (*stepProgram, error) {
	var sides string
	for _, a := range r.plan.Axes {
		sides += a.Boundary.String() + " "
	}
	class := fmt.Sprintf("grid %v boundaries %sT=%d channels %d+%d mask %d",
		r.volume.Shape, sides, len(r.window.Frames), len(r.volume.Variable), len(r.volume.Constant), r.volume.Mask)
	if r.caches != nil {
		class += fmt.Sprintf(" cached %d", r.caches[0].slots)
	}
	if e.opts.Batch > 1 {
		class += fmt.Sprintf(" lanes %d", r.lanes)
	}
	return e.reuse("step", class, func() (*stepProgram, error) {
		e.warn(r)
		compile := e.compile
		if r.caches != nil {
			compile = e.compileCached
		}
		p, err := compile(r)
		if err != nil {
			return nil, err
		}
		p.extents, err = e.compileExtents(r.volume)
		return p, err
	})
}

// reuse returns the program of a class, which it builds if there is none, and counts its
// user. The user must call unuse.
func (e *Emulator) reuse(kind, class string, build func() (*stepProgram, error)) (*stepProgram, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.programs.get(class); p != nil {
		p.users++
		return p, nil
	}
	begin := time.Now()
	p, err := build()
	if err != nil {
		return nil, fmt.Errorf("building the program for %s: %w", class, err)
	}
	p.class, p.users = class, 1
	e.programs.add(p)
	if n := e.programs.shrink(e.opts.Programs); n > 0 {
		e.opts.Log.Info("freed", "programs", n)
	}
	e.opts.Log.Info("built", "program", kind, "class", class, "seconds", time.Since(begin).Seconds())
	return p, nil
}

// unuse ends a use of a program.
func (e *Emulator) unuse(p *stepProgram) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p.users--
	e.programs.shrink(e.opts.Programs)
}

var errZeroEmulator = errors.New("walrus: rollout: expected an emulator of NewEmulator or Load, got a zero one")

// enter registers a rollout with the given weights, which ends with release.
func (e *Emulator) enter(w *Weights) error {
	if e.model == nil {
		return errZeroEmulator
	}
	if !e.uses.Enter() {
		return fmt.Errorf("walrus: rollout: %w", ErrClosed)
	}
	if !w.uses.Enter() {
		e.uses.Leave()
		return fmt.Errorf("walrus: rollout: %w", ErrWeightsClosed)
	}
	return nil
}

// release ends a rollout and its use of the weights and of a program, which may be nil.
func (e *Emulator) release(w *Weights, p *stepProgram) {
	if p != nil {
		e.unuse(p)
	}
	w.uses.Leave()
	e.uses.Leave()
}

func (e *Emulator) compile(r *rollout) (*stepProgram, error) {
	keys, err := e.keys(r.plan)
	if err != nil {
		return nil, err
	}
	p, steps, volume, plan, lanes := &stepProgram{keys: keys}, len(r.frames), r.volume, r.plan, r.lanes
	build := func(in inputs.Nodes) []*Node {
		step := e.stepInputs(history(in, steps), in, volume)
		return result(e.model.NextFrame(e.named(in, plan), step, plan, e.scaling), lanes)
	}
	if e.layout != nil {
		p.step = inputs.NewGroupProgram(e.layout, 2, build)
		return p, nil
	}
	if p.step, err = inputs.NewProgram(e.opts.Backend, build); err != nil {
		return nil, err
	}
	return p, e.compileDerivatives(p, steps, volume, plan)
}

// keys lists the weights that a plan uses.
func (e *Emulator) keys(plan *csm.Plan) ([]string, error) {
	params, err := e.model.ParamsFor(plan)
	keys := make([]string, len(params))
	for i, q := range params {
		keys[i] = q.Key
	}
	return keys, err
}

// history returns the frames of the window, [T, lanes, Cv, H, W, D].
func history(in inputs.Nodes, steps int) *Node {
	frames := make([]*Node, steps)
	for i := range frames {
		frames[i] = in.Get(frameName(i))
	}
	return Concatenate(frames, 0)
}

// named returns the nodes of a program's parameters by their place in the network. Those of
// blocks and decoder are widened when the network reaches them.
func (e *Emulator) named(in inputs.Nodes, plan *csm.Plan) ModelWeights {
	held, to := e.opts.held(), e.opts.Precision.dtype()
	if held == Float32 {
		return e.model.WeightsFor(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in.Get(key) }), plan)
	}
	widen := func(x *Node) layers.Vars {
		return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
			axis, _ := held.narrows(Param{Key: key, Dims: dims})
			return layers.Widen(x, in.Get(key), in.Optional(scaleName(key)), axis, to)
		})
	}
	w := e.model.WeightsFor(layers.VarsFrom(func(key string, init layers.Init, dims []int) *Node {
		if reachedLate(key) {
			return in.Get(key)
		}
		return widen(nil).Var(key, init, dims...)
	}), plan)
	w.late = widen
	return w
}

// scaleName names the input that holds the scales of an int8 tensor.
func scaleName(key string) string { return key + " scale" }

// stepInputs returns the inputs of a step with history [T, lanes, Cv, H, W, D]. Inputs that
// exist once per lane are repeated for each of its draws.
func (e *Emulator) stepInputs(history *Node, in inputs.Nodes, v data.Volume) StepInputs {
	s := StepInputs{Real: in.Get("real"), Resize: e.opts.Resize, Net: Inputs{Shift: in.Get("shift"), Rolls: in.Get("rolls"), IDs: in.Get("ids")}}
	draws := 1
	if s.Net.Shift.Rank() == 2 {
		draws = s.Net.Shift.Shape().Dim(0)
	}
	s.History = perDraw(history, 1, draws)
	if x := in.Optional(constantsName); x != nil {
		s.Constants = perDraw(x, 0, draws)
		if v.Mask >= 0 {
			s.Solid = StopGradient(SliceAxis(s.Constants, 1, AxisElem(v.Mask)))
		}
	}
	if stats, ok := in.Statistics(); ok {
		for i, x := range stats {
			stats[i] = perDraw(x, 1, draws)
		}
		s.Stats = &Stats{Mean: stats[0], Std: stats[1], DeltaMean: stats[2], DeltaStd: stats[3]}
	}
	return s
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

// place moves the current weights to the device and returns them, in the precision in which
// the emulator holds them.
func (e *Emulator) place(w *Weights, keys []string) (l inputs.List, err error) {
	if _, err := w.Tensors(keys); err != nil {
		return nil, err
	}
	if err := e.opts.takes(w); err != nil {
		return nil, err
	}
	// Placing a tensor on the device changes it, so only one rollout may do it at a time.
	w.placing.Lock()
	defer w.placing.Unlock()
	if e.layout != nil {
		return e.spread(w, keys)
	}
	if on := w.device; on != 0 && on != e.opts.Device+1 {
		return nil, fmt.Errorf("the weights are on device %d: expected an emulator on this device, or a copy of the weights (Weights.Clone) for device %d", on-1, e.opts.Device)
	}
	w.device = e.opts.Device + 1
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &stager{backend: e.opts.Backend, device: e.opts.Device}
	for _, key := range keys {
		i := w.index[key]
		h := w.held(i)
		if as := e.opts.held(); w.as != as {
			if _, narrow := as.narrows(w.params[i]); narrow {
				from := h.values
				if h, err = e.narrowed.of(w, key, from, func() (held, error) { return s.narrow(w.params[i], from, as) }); err != nil {
					return nil, fmt.Errorf("converting %s to %v: %w", key, as, err)
				}
			}
		}
		l.Add(key, h.values)
		if h.scale != nil {
			l.Add(scaleName(key), h.scale)
		}
	}
	for _, x := range l {
		if err := x.Tensor.MaterializeOnDevice(e.opts.Backend, true, compute.DeviceNum(e.opts.Device)); err != nil {
			return nil, fmt.Errorf("placing %s on %s: %w", x.Name, e.opts.Backend.Name(), err)
		}
	}
	return l, nil
}

// spread returns the current weights on the devices of the emulator.
func (e *Emulator) spread(w *Weights, keys []string) (l inputs.List, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range keys {
		i := w.index[key]
		slot := shard.SlotOf(key, w.params[i].Dims, w.params[i].Init.Buffer)
		parts, err := e.shards.of(w, key, w.values[i], func() (pieces, error) { return cut(e.layout, slot, w.values[i]) })
		if err != nil {
			return nil, fmt.Errorf("placing %s on devices %v: %w", key, e.opts.Devices, err)
		}
		l.AddParts(key, parts, slot)
	}
	return l, nil
}

// outputs splits the outputs of a program into the next frame and its finiteness flag, the
// two nodes of result.
func outputs(out []*tensors.Tensor) (u *tensors.Tensor, finite bool, err error) {
	flag, err := tensors.CopyFlatData[bool](out[1])
	out[1].FinalizeAll()
	if err != nil {
		out[0].FinalizeAll()
		return nil, false, err
	}
	return out[0], flag[0], nil
}
