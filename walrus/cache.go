package walrus

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/layers"
)

// kvCache is the KV cache of the draws that pass the network together.
type kvCache struct {
	r     *rollout
	slots int
	draws []Draws
	stats inputs.List
	// entries holds the keys and values of all blocks for each slot, the oldest frame
	// first. The first slots hold zero until there are slots earlier frames.
	entries [][]*tensors.Tensor
	zero    *tensors.Tensor // keys and values of an empty slot
	frames  int             // number of slots in use
	age     int             // steps since the last refresh
}

// newCaches gives the rollout one empty KV cache per part of the ensemble's draws.
func (r *rollout) newCaches(c Cache) error {
	if !r.e.model.config.Causal {
		return fmt.Errorf("cache: expected a causal network; in this one every new frame changes the keys and values of earlier frames")
	}
	slots := len(r.frames) - 1
	if c.Frames > 0 {
		slots = c.Frames - 1
	}
	if slots < len(r.frames)-1 {
		return fmt.Errorf("cache: expected at least the %d frames of the window, got %d", len(r.frames), c.Frames)
	}
	for range r.parts() {
		r.caches = append(r.caches, &kvCache{r: r, slots: slots})
	}
	return nil
}

// stale reports whether the next step refreshes the cache, with new draws.
func (m *kvCache) stale() bool {
	refresh := m.r.e.opts.Cache.refresh()
	return m.draws == nil || (refresh > 0 && m.age >= refresh)
}

// next forecasts the next frame from the rollout's window. If fresh holds new draws, next
// recomputes the cache first.
func (m *kvCache) next(fresh []Draws) (*tensors.Tensor, bool, error) {
	if fresh != nil {
		if err := m.begin(fresh); err != nil {
			return nil, false, err
		}
	}
	m.age++
	return m.step(m.r.frames[len(m.r.frames)-1])
}

// begin discards the cache and fills it from all frames of the window but the last.
func (m *kvCache) begin(list []Draws) (err error) {
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

// clear marks all slots as empty.
func (m *kvCache) clear() {
	c := m.r.e.model.config
	m.zero = tensors.FromShape(shapes.Make(m.r.e.opts.Precision.dtype(), len(m.draws), m.r.plan.Tokens(), c.Hidden))
	empty := slices.Repeat([]*tensors.Tensor{m.zero}, 2*c.Blocks)
	m.entries = slices.Repeat([][]*tensors.Tensor{empty}, m.slots)
}

// step passes a frame through the network and caches its keys and values. It returns the
// prediction of the next frame, on the device, and whether that is finite.
func (m *kvCache) step(x *tensors.Tensor) (*tensors.Tensor, bool, error) {
	drawn, err := m.r.drawn(m.draws)
	if err != nil {
		return nil, false, err
	}
	defer drawn.Free()
	bias := m.bias()
	defer bias.Free()
	out, err := m.r.call(m.r.program.step, m.r.weights, inputs.List{{Name: "frame", Tensor: x, Samples: -1}}, drawn, m.r.fixed, m.stats, bias, m.inputs())
	if err != nil {
		return nil, false, err
	}
	m.push(out[2:])
	return outputs(out)
}

// push caches the keys and values of a frame and discards those of the oldest frame.
func (m *kvCache) push(frame []*tensors.Tensor) {
	if m.slots == 0 {
		finalizeAll(frame)
		return
	}
	m.free(m.entries[0])
	m.entries = append(m.entries[1:], frame)
	m.frames = min(m.frames+1, m.slots)
}

// bias returns two inputs with one value for each slot and, last, for the new frame:
// "buckets" has the row of the relative bias at its distance in time, and "blocked" has
// layers.Masked for empty slots, else 0.
func (m *kvCache) bias() (l inputs.List) {
	b, v := make([]int32, m.slots+1), make([]float32, m.slots+1)
	for i := range m.slots {
		distance := m.slots - i
		b[i] = int32(layers.RelativeBucket(-distance, true))
		if distance > m.frames {
			v[i] = layers.Masked
		}
	}
	l.Add("buckets", tensors.FromFlatDataAndDimensions(b, len(b)))
	l.Add("blocked", tensors.FromFlatDataAndDimensions(v, len(v)))
	return l
}

// inputs returns the cached keys and values.
func (m *kvCache) inputs() (l inputs.List) {
	for slot, entry := range m.entries {
		for i, x := range entry {
			l.Add(entryName(slot, i), x)
		}
	}
	return l
}

// entryName names the input that holds the keys (even i) or values (odd i) of block i/2 in
// a slot.
func entryName(slot, i int) string { return "cache " + strconv.Itoa(slot) + " " + strconv.Itoa(i) }

// free frees the keys and values of a slot unless the slot is empty.
func (m *kvCache) free(frame []*tensors.Tensor) {
	if frame[0] != m.zero {
		finalizeAll(frame)
	}
}

// close frees the tensors of the cache.
func (m *kvCache) close() {
	for _, frame := range m.entries {
		m.free(frame)
	}
	if m.zero != nil {
		m.zero.FinalizeAll()
	}
	m.entries, m.zero = nil, nil
	if m.r.stats == nil {
		m.stats.Free()
	}
	m.stats = nil
}

// statistics returns the statistics of the data set or, without them, those of the
// rollout's current window, on the device.
func (r *rollout) statistics() (l inputs.List, err error) {
	if r.stats != nil {
		return r.stats, nil
	}
	out, err := r.call(r.program.stats, r.history(), r.fixed)
	if err != nil {
		return nil, err
	}
	l.AddStatistics([4]*tensors.Tensor(out))
	return l, nil
}

// compileCached compiles the step of one frame after cached frames, and the program that
// computes the statistics for it.
func (e *Emulator) compileCached(r *rollout) (*stepProgram, error) {
	keys, err := e.keys(r.plan)
	if err != nil {
		return nil, err
	}
	p, blocks, slots, steps := &stepProgram{keys: keys}, e.model.config.Blocks, r.caches[0].slots, len(r.frames)
	volume, plan, lanes := r.volume, r.plan, r.lanes
	p.step, err = inputs.NewProgram(e.opts.Backend, func(in inputs.Nodes) []*Node {
		past := Past{Buckets: in.Get("buckets"), Blocked: ConvertDType(in.Get("blocked"), e.opts.Precision.dtype()), Frames: make([][]layers.KeyValue, blocks)}
		for slot := range slots {
			for b := range blocks {
				past.Frames[b] = append(past.Frames[b], layers.KeyValue{Key: in.Get(entryName(slot, 2*b)), Value: in.Get(entryName(slot, 2*b+1))})
			}
		}
		u, own := e.model.NextFrameCached(e.named(in, plan), e.stepInputs(in.Get("frame"), in, volume), past, plan)
		out := result(u, lanes)
		for _, kv := range own {
			out = append(out, kv.Key, kv.Value)
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	p.stats, err = inputs.NewProgram(e.opts.Backend, func(in inputs.Nodes) []*Node {
		x := history(in, steps)
		if constants := in.Optional("constants"); constants != nil {
			x = WithConstants(x, perDraw(constants, 0, lanes))
		}
		s := SampleStats(x, e.scaling)
		return []*Node{s.Mean, s.Std, s.DeltaMean, s.DeltaStd}
	})
	return p, err
}

// Prepare compiles the programs for rollouts of the given windows and runs each once, so
// that the first frame of a forecast comes as fast as the others. It depends on fields,
// grid, boundaries and number of frames of the windows, not on their values. It logs
// [Advice] on the windows.
func (e *Emulator) Prepare(windows ...*data.Window) error {
	for _, w := range windows {
		begin := time.Now()
		r, err := e.begin(context.Background(), w)
		if err != nil {
			return err
		}
		u, _, err := r.forecast(func(*rollout, int) Draws { return Draws{} })
		r.close()
		if err != nil {
			return fmt.Errorf("walrus: %s: preparing: %w", label(w), err)
		}
		u.FinalizeAll()
		e.opts.Log.Info("prepared", "window", w.Name, "grid", w.Grid, "seconds", time.Since(begin).Seconds())
	}
	return nil
}
