package walrus

import (
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute/shapes"
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

// DefaultRefresh is the number of steps with which experiments/cache finds forecasts
// closest to those without a cache.
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

// memory is what a cached rollout keeps of draws that pass the network together.
type memory struct {
	r     *rollout
	slots int
	draws []Draws
	stats []*tensors.Tensor
	// kept holds keys and values of all blocks, frame after frame, the oldest first;
	// the first ones are empty until there have been enough frames.
	kept   [][]*tensors.Tensor
	zero   *tensors.Tensor // stands for keys and values of a frame that is not there
	frames int             // that are kept
	age    int             // steps since the beginning
}

// remember begins to remember.
func (r *rollout) remember(c Cache) error {
	if !r.e.model.config.Causal {
		return fmt.Errorf("cache: expected a causal network; in this one every new frame changes what was computed of the earlier ones")
	}
	slots := len(r.frames) - 1
	if c.Frames > 0 {
		slots = c.Frames - 1
	}
	if slots < len(r.frames)-1 {
		return fmt.Errorf("cache: expected at least the %d frames of the window, got %d", len(r.frames), c.Frames)
	}
	for range r.parts() {
		r.memory = append(r.memory, &memory{r: r, slots: slots})
	}
	return nil
}

// due says whether the next step begins anew, with new draws.
func (m *memory) due() bool {
	refresh := m.r.e.opts.Cache.refresh()
	return m.draws == nil || (refresh > 0 && m.age >= refresh)
}

// next forecasts a frame from the rollout's window, anew if there are new draws.
func (m *memory) next(fresh []Draws) (*tensors.Tensor, bool, error) {
	if fresh != nil {
		if err := m.begin(fresh); err != nil {
			return nil, false, err
		}
	}
	m.age++
	return m.step(m.r.frames[len(m.r.frames)-1])
}

// begin forgets everything and takes in all frames of the window but the last.
func (m *memory) begin(list []Draws) (err error) {
	m.close()
	m.draws, m.age, m.frames = list, 0, 0
	m.clear()
	if m.stats, err = m.r.statistics(); err != nil {
		return err
	}
	history := m.r.frames
	for _, x := range history[:len(history)-1] {
		u, _, err := m.step(x)
		if err != nil {
			return err
		}
		u.FinalizeAll()
	}
	return nil
}

// clear fills all places with what stands for frames that are not there.
func (m *memory) clear() {
	c := m.r.e.model.config
	m.zero = tensors.FromShape(shapes.Make(m.r.e.opts.Precision.dtype(), len(m.draws), m.r.plan.Tokens(), c.Hidden))
	empty := slices.Repeat([]*tensors.Tensor{m.zero}, 2*c.Blocks)
	m.kept = slices.Repeat([][]*tensors.Tensor{empty}, m.slots)
}

// step passes a frame through the network, keeps its keys and values and returns the
// prediction of the next, on the device, and whether it is finite.
func (m *memory) step(x *tensors.Tensor) (*tensors.Tensor, bool, error) {
	shift, rolls, err := m.r.e.model.batch(m.draws, m.r.plan)
	if err != nil {
		return nil, false, err
	}
	buckets, blocked := m.bias()
	defer finalizeAll([]*tensors.Tensor{shift, rolls, buckets, blocked})
	args := [][]*tensors.Tensor{m.r.params, {x, shift, rolls}, m.r.fixed[:m.r.global], m.stats, {buckets, blocked}}
	out, err := m.r.call(m.r.program.exec, append(args, m.kept...)...)
	if err != nil {
		return nil, false, err
	}
	m.keep(out[2:])
	return taken(out)
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
	if frame[0] != m.zero {
		finalizeAll(frame)
	}
}

// close frees everything.
func (m *memory) close() {
	for _, frame := range m.kept {
		m.free(frame)
	}
	if m.zero != nil {
		m.zero.FinalizeAll()
	}
	m.kept, m.zero = nil, nil
	if m.r.e.scaling.Statistics == nil {
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
	if r.e.scaling.Statistics != nil {
		return r.fixed[r.global:], nil
	}
	var constants []*tensors.Tensor
	if len(r.volume.Constant) > 0 {
		constants = r.fixed[2:3]
	}
	return r.call(r.program.stats, r.frames, constants)
}

// compileCached compiles the step of one frame with a past, and the statistics that it
// takes.
func (e *Emulator) compileCached(r *rollout) (*stepProgram, error) {
	params, err := e.model.ParamsFor(r.plan)
	if err != nil {
		return nil, err
	}
	p, blocks, slots, steps := &stepProgram{}, e.model.config.Blocks, r.memory[0].slots, len(r.frames)
	for _, q := range params {
		p.keys = append(p.keys, q.Key)
	}
	fixed := 3 + r.global + 4 // frame, shift, rolls; fixed inputs; statistics
	p.exec, err = NewExec(e.opts.Backend, func(in []*Node) []*Node {
		weights, in := e.model.named(p.keys, in, r.plan), in[len(p.keys):]
		past := Past{Buckets: in[fixed], Blocked: ConvertDType(in[fixed+1], e.opts.Precision.dtype()), Frames: make([][]layers.KeyValue, blocks)}
		for i, kept := 0, in[fixed+2:]; i < slots; i++ {
			for b := range blocks {
				past.Frames[b] = append(past.Frames[b], layers.KeyValue{Key: kept[2*(i*blocks+b)], Value: kept[2*(i*blocks+b)+1]})
			}
		}
		u, own := e.model.NextFrameCached(weights, e.stepInputs(in[0], in[1:fixed], r.volume), past, r.plan)
		out := result(u, r.lanes)
		for _, kv := range own {
			out = append(out, kv.Key, kv.Value)
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	p.stats, err = NewExec(e.opts.Backend, func(in []*Node) []*Node {
		x := Concatenate(in[:steps], 0)
		if len(in) > steps {
			x = WithConstants(x, perDraw(in[steps], 0, r.lanes))
		}
		s := SampleStats(x, e.scaling)
		return []*Node{s.Mean, s.Std, s.DeltaMean, s.DeltaStd}
	})
	return p, err
}

// Prepare compiles what rollouts of such windows need, and runs it once, so that the
// first frame of a forecast comes as fast as the others. Values do not matter; fields,
// grid, boundaries and the number of frames do. [Advice] on the windows is logged.
func (e *Emulator) Prepare(windows ...*data.Window) error {
	for _, w := range windows {
		begin := time.Now()
		r, err := e.begin(w, 1)
		if err != nil {
			return err
		}
		u, _, err := r.forecast(func(*rollout) Draws { return Draws{} })
		r.close()
		if err != nil {
			return fmt.Errorf("walrus: %s: preparing: %w", label(w), err)
		}
		u.FinalizeAll()
		e.opts.Log.Info("prepared", "window", w.Name, "grid", w.Grid, "seconds", time.Since(begin).Seconds())
	}
	return nil
}
