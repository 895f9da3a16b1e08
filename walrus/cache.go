package walrus

import (
	"fmt"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
)

// Cache says how a rollout keeps what it has computed of earlier frames: keys and
// values of the time attention, per block and place (paper §6 calls this vital, the
// release lacks it). Each new frame then passes the network once, alone.
//
// Statistics, jitter and latent rolls are drawn once and stay as they are, frozen,
// since everything kept depends on them. As long as no frame has left, the forecast is
// that of the network on all frames so far with the same statistics and draws, up to
// rounding. Once frames leave, it is an approximation: what is kept of a frame was
// computed when it could see others that are gone by now.
type Cache struct {
	// Frames is the number of frames that a new one attends to, itself included; 0 is
	// the length of the window. With as many as history and forecast have together
	// none ever leaves, but the network was trained with short histories.
	Frames int
	// Refresh begins anew every so many steps, with new statistics and draws from as
	// many of the last frames as the window had; 0 is DefaultRefresh, and a negative
	// number never does.
	Refresh int
}

// DefaultRefresh is where experiments/cache finds long forecasts as good as without a
// cache.
const DefaultRefresh = 3

// refresh is the number of steps after which to begin anew, or 0.
func (c Cache) refresh() int {
	if c.Refresh == 0 {
		return DefaultRefresh
	}
	return max(c.Refresh, 0)
}

// Validate checks the ranges.
func (c Cache) Validate() error {
	if c.Frames < 0 {
		return fmt.Errorf("cache: expected a number of frames of at least 0, got %d", c.Frames)
	}
	return nil
}

// memory is what a cached rollout keeps, for one member of an ensemble.
type memory struct {
	r     *rollout
	slots int
	draws Draws
	stats []*tensors.Tensor
	// kept holds keys and values of all blocks, frame after frame, the oldest first;
	// the first ones are empty until there have been enough frames.
	kept   [][]*tensors.Tensor
	frames int // that are kept
	age    int // steps since the beginning
	last   *tensors.Tensor
}

// newMemory begins to remember.
func (r *rollout) newMemory() (*memory, error) {
	c := *r.e.opts.Cache
	if !r.e.model.config.Causal {
		return nil, fmt.Errorf("walrus: %s: cache: expected a causal network; in this one every new frame changes what was computed of the earlier ones", label(r.window))
	}
	m := &memory{r: r, slots: len(r.frames) - 1}
	if c.Frames > 0 {
		m.slots = c.Frames - 1
	}
	if m.slots < len(r.frames)-1 {
		return nil, fmt.Errorf("walrus: %s: cache: expected at least the %d frames of the window, got %d", label(r.window), len(r.frames), c.Frames)
	}
	return m, nil
}

// next forecasts a frame from the rollout's window with draws made when it begins anew.
func (m *memory) next(draw func() Draws) ([]float32, error) {
	refresh := m.r.e.opts.Cache.refresh()
	if m.kept == nil || (refresh > 0 && m.age >= refresh) {
		if err := m.begin(draw()); err != nil {
			return nil, err
		}
	}
	m.age++
	if m.last == nil {
		m.last = m.frame(m.r.frames[len(m.r.frames)-1])
	}
	u, err := m.step(m.last)
	m.last.FinalizeAll()
	m.last = u
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](u)
}

// replaced forgets the last forecast: the window goes on with another frame.
func (m *memory) replaced() {
	if m.last != nil {
		m.last.FinalizeAll()
	}
	m.last = nil
}

// begin forgets everything and takes in all frames of the window but the last.
func (m *memory) begin(d Draws) (err error) {
	m.close()
	m.draws, m.age, m.frames = d, 0, 0
	empty, err := m.r.program.empty(m.r)
	if err != nil {
		return err
	}
	for range m.slots {
		m.kept = append(m.kept, empty)
	}
	if m.kept == nil {
		m.kept = [][]*tensors.Tensor{}
	}
	if m.stats, err = m.r.statistics(); err != nil {
		return err
	}
	history := m.r.frames
	for _, f := range history[:len(history)-1] {
		x := m.frame(f)
		u, err := m.step(x)
		x.FinalizeAll()
		if err != nil {
			return err
		}
		u.FinalizeAll()
	}
	return nil
}

// frame is a frame as the program takes it.
func (m *memory) frame(values []float32) *tensors.Tensor {
	s := m.r.volume.Shape
	return tensors.FromFlatDataAndDimensions(values, 1, 1, len(m.r.volume.Variable), s[0], s[1], s[2])
}

// step passes a frame through the network, keeps its keys and values and returns the
// prediction of the next, on the device.
func (m *memory) step(x *tensors.Tensor) (*tensors.Tensor, error) {
	shift, rolls, err := m.r.e.model.Tensors(m.draws, m.r.plan)
	if err != nil {
		return nil, err
	}
	buckets, blocked := m.bias()
	own := []*tensors.Tensor{shift, rolls, buckets, blocked}
	defer func() {
		for _, t := range own {
			t.FinalizeAll()
		}
	}()
	args := make([]any, 0, len(m.r.params)+16+2*len(m.kept))
	for _, list := range [][]*tensors.Tensor{m.r.params, {x, shift, rolls}, m.r.fixed[:m.r.global], m.stats, {buckets, blocked}} {
		for _, t := range list {
			args = append(args, t)
		}
	}
	for _, frame := range m.kept {
		for _, t := range frame {
			args = append(args, t)
		}
	}
	out, err := m.r.program.exec.Call(args...)
	if err != nil {
		return nil, err
	}
	m.keep(out[1:])
	return out[0], nil
}

// keep adds what was computed of a frame and lets the oldest go.
func (m *memory) keep(frame []*tensors.Tensor) {
	if m.slots == 0 {
		finalizeAll(frame)
		return
	}
	m.free(m.kept[0])
	m.kept = append(m.kept[1:], frame)
	m.frames = min(m.frames+1, m.slots)
}

// bias says how far the kept frames are from the next one, and which are empty.
func (m *memory) bias() (buckets, blocked *tensors.Tensor) {
	b, v := make([]int32, m.slots+1), make([]float32, m.slots+1)
	for i := range m.slots {
		distance := m.slots - i
		b[i] = int32(layers.RelativeBucket(-distance, true))
		if distance > m.frames {
			v[i] = layers.Masked
		}
	}
	return tensors.FromFlatDataAndDimensions(b, len(b)), tensors.FromFlatDataAndDimensions(v, len(v))
}

// free frees what is kept of a frame, unless it is the one that stands for none.
func (m *memory) free(frame []*tensors.Tensor) {
	if len(frame) > 0 && frame[0] != m.r.program.zero {
		finalizeAll(frame)
	}
}

// close frees everything.
func (m *memory) close() {
	for _, frame := range m.kept {
		m.free(frame)
	}
	m.kept = nil
	if m.r.e.opts.Statistics == nil {
		finalizeAll(m.stats)
	}
	m.stats = nil
}

func finalizeAll(list []*tensors.Tensor) {
	for _, t := range list {
		t.FinalizeAll()
	}
}

// statistics are the data set's, or those of the window at hand, on the device.
func (r *rollout) statistics() ([]*tensors.Tensor, error) {
	if r.e.opts.Statistics != nil {
		return r.fixed[r.global:], nil
	}
	args := []any{r.history()}
	if len(r.volume.Constant) > 0 {
		args = append(args, r.fixed[2])
	}
	out, err := r.program.stats.Call(args...)
	args[0].(*tensors.Tensor).FinalizeAll()
	return out, err
}

// compileCached compiles the step of one frame with a past, and the statistics that it
// takes.
func (e *Emulator) compileCached(r *rollout, slots int) (*stepProgram, error) {
	params, err := e.model.ParamsFor(r.plan)
	if err != nil {
		return nil, err
	}
	p, plan, volume, blocks := &stepProgram{}, r.plan, r.volume, e.model.config.Blocks
	for _, q := range params {
		p.keys = append(p.keys, q.Key)
	}
	fixed := 3 + r.global + 4 // frame, shift, rolls; fixed inputs; statistics
	p.exec, err = NewExec(e.opts.Backend, func(in []*Node) []*Node {
		weights, in := in[:len(p.keys)], in[len(p.keys):]
		nodes := map[string]*Node{}
		for i, key := range p.keys {
			nodes[key] = weights[i]
		}
		vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return nodes[key] })
		past := Past{Buckets: in[fixed], Blocked: in[fixed+1], Frames: make([][]layers.KeyValue, blocks)}
		for i, kept := 0, in[fixed+2:]; i < slots; i++ {
			for b := range blocks {
				past.Frames[b] = append(past.Frames[b], layers.KeyValue{Key: kept[2*(i*blocks+b)], Value: kept[2*(i*blocks+b)+1]})
			}
		}
		u, own := e.model.NextFrameCached(e.model.WeightsFor(vars, plan), e.stepInputs(in[:fixed], volume), past, plan, e.opts.Step)
		out := []*Node{ExpandAxes(u, 0)}
		for _, kv := range own {
			out = append(out, kv.Key, kv.Value)
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	p.stats, err = NewExec(e.opts.Backend, func(in []*Node) []*Node {
		x := in[0]
		if len(in) > 1 {
			x = WithConstants(x, in[1])
		}
		s := SampleStats(x, e.opts.Step.Normalization, e.opts.Step.eps())
		return []*Node{s.Mean, s.Std, s.DeltaMean, s.DeltaStd}
	})
	return p, err
}

// empty is what stands for a frame that is not there.
func (p *stepProgram) empty(r *rollout) ([]*tensors.Tensor, error) {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	if p.zero == nil {
		c := r.e.model.config
		tokens := r.plan.Tokens()
		p.zero = tensors.FromFlatDataAndDimensions(make([]float32, tokens*c.Hidden), 1, tokens, c.Hidden)
		if err := p.zero.MaterializeOnDevice(r.e.opts.Backend, true, 0); err != nil {
			return nil, err
		}
	}
	out := make([]*tensors.Tensor, 2*r.e.model.config.Blocks)
	for i := range out {
		out[i] = p.zero
	}
	return out, nil
}

// Prepare compiles what rollouts of such windows need, and runs it once, so that the
// first frame of a forecast comes as fast as the others. Values do not matter; fields,
// grid, boundaries and the number of frames do.
func (e *Emulator) Prepare(windows ...*data.Window) error {
	for _, w := range windows {
		begin := time.Now()
		r, err := e.begin(w)
		if err != nil {
			return err
		}
		_, err = r.forecast(func(*rollout) Draws { return Draws{} })
		r.close()
		if err != nil {
			return fmt.Errorf("walrus: %s: preparing: %w", label(w), err)
		}
		e.opts.Log.Info("prepared", "window", w.Name, "grid", w.Grid, "seconds", time.Since(begin).Seconds())
	}
	return nil
}
