package train

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/walrus"
)

// stored holds tensors on the devices of a group, by name.
type stored map[string][]*tensors.Tensor

func (s stored) free() {
	for _, x := range s {
		shard.Free(x)
	}
	clear(s)
}

// group holds one copy of the network, its moments and gradients, on its devices. Only one
// goroutine may call its methods at a time.
type group struct {
	number   int // among all groups of the run
	t        *Trainer
	layout   *shard.Layout
	programs *programs
	// attached reports whether the group uses the tensors of Trainer.net and
	// Trainer.mean themselves: for a single group of a single device. Then params
	// holds only adapters, and average nothing.
	attached bool

	params, first, second, average stored
	base                           stored // W₀ of adapted tensors
	sums                           stored // gradients since the last update
	micro                          int    // micro-batches in sums
	windows                        []string
	seen                           *walrus.Coverage // windows of these gradients
}

// newGroup returns a group without values, which runs the given programs.
func newGroup(t *Trainer, number int, l *shard.Layout, p *programs, attached bool) *group {
	return &group{number: number, t: t, layout: l, programs: p, attached: attached,
		params: stored{}, first: stored{}, second: stored{}, average: stored{}, base: stored{}, sums: stored{},
		seen: &walrus.Coverage{}}
}

// load copies the network's tensors, their average and the adapters to the devices.
func (g *group) load() error {
	for _, p := range g.t.net.Tensors().Params() {
		if g.attached {
			break
		}
		if err := g.copyFrom(g.t.net.Tensors(), g.params, p.Key); err != nil {
			return err
		}
		if g.t.mean == nil {
			continue
		}
		if err := g.copyFrom(g.t.mean.Tensors(), g.average, p.Key); err != nil {
			return err
		}
	}
	if g.t.lora == nil {
		return nil
	}
	for _, key := range g.t.lora.keys {
		if err := g.copyFrom(g.t.net.Tensors(), g.base, key); err != nil {
			return err
		}
	}
	for _, p := range g.t.lora.params {
		values := make([]float32, p.Size())
		if err := p.Init.Fill(values, g.t.opts.Seed, p.Key); err != nil {
			return fmt.Errorf("train: LoRA: %s: %w", p.Key, err)
		}
		if err := g.set(g.params, p.Key, values); err != nil {
			return err
		}
	}
	return nil
}

// copyFrom copies a tensor of w into list.
func (g *group) copyFrom(w *walrus.TensorSet, list stored, key string) error {
	values, err := valuesOf(w, key)
	if err != nil {
		return fmt.Errorf("train: weights: %w", err)
	}
	return g.set(list, key, values)
}

// copyTo copies a tensor of list to w.
func (g *group) copyTo(w *walrus.TensorSet, list stored, p walrus.Param) error {
	values, err := g.get(list, p.Key)
	if err != nil {
		return err
	}
	return w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...))
}

// slot describes how the group stores a tensor. Adapters are whole on every device.
func (g *group) slot(key string) shard.Slot {
	p := g.t.index[key]
	s := shard.SlotOf(key, p.Dims, p.Init.Buffer)
	s.Sharded = s.Sharded && len(g.layout.Devices) > 1 && !g.t.lora.has(key)
	return s
}

// set replaces a tensor of list.
func (g *group) set(list stored, key string, values []float32) error {
	parts, err := g.layout.Place(g.slot(key), values)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	shard.Free(list[key])
	list[key] = parts
	return nil
}

// get copies a tensor of list to the host.
func (g *group) get(list stored, key string) ([]float32, error) {
	s := g.slot(key)
	values := make([]float32, s.Size())
	if err := g.layout.Gather(s, list[key], values); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return values, nil
}

// of lists the tensors of keys.
func (s stored) of(keys []string) [][]*tensors.Tensor {
	out := make([][]*tensors.Tensor, len(keys))
	for i, key := range keys {
		out[i] = s[key]
	}
	return out
}

// current lists the tensors of keys in list or, in an attached group, in w.
func (g *group) current(w *walrus.TensorSet, list stored, keys []string) ([][]*tensors.Tensor, error) {
	out := list.of(keys)
	for i, key := range keys {
		if !g.attached || g.t.lora.has(key) {
			continue
		}
		x, ok := w.Tensor(key)
		if !ok {
			return nil, fmt.Errorf("train: weights: %s: expected a value, got none", key)
		}
		out[i] = []*tensors.Tensor{x}
	}
	return out, nil
}

// replace stores a new tensor in list or, in an attached group, in w. The old one is freed.
func (g *group) replace(w *walrus.TensorSet, list stored, key string, parts []*tensors.Tensor) error {
	if g.attached && !g.t.lora.has(key) {
		return w.Set(key, parts[0])
	}
	shard.Free(list[key])
	list[key] = parts
	return nil
}

// inputs lists the tensors that gradient programs get: W₀ for an adapted tensor.
func (g *group) inputs(keys []string) ([][]*tensors.Tensor, error) {
	out, err := g.current(g.t.net.Tensors(), g.params, keys)
	for i, key := range keys {
		if x, ok := g.base[key]; ok {
			out[i] = x
		}
	}
	return out, err
}

// accumulate runs one micro-batch and adds its gradients to those since the last update. If
// the loss or the norm of its gradient is not finite, it returns a [NonFiniteError] and
// adds nothing.
func (g *group) accumulate(b *Batch) (loss float64, samples int, err error) {
	p, err := g.t.pass(fillUp(b, len(g.layout.Devices)), g.t.generator(g))
	if err != nil {
		return 0, 0, err
	}
	defer p.close()
	if err := g.forecastEnd(p); err != nil {
		return 0, 0, err
	}
	program, err := g.gradientProgram(p)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	r, err := g.run(program, p)
	if err != nil {
		return 0, 0, fmt.Errorf("train: window %s: %w", b.Windows[0].Name, err)
	}
	level, what := slog.LevelDebug, "ran"
	if !program.ran.Swap(true) {
		level, what = slog.LevelInfo, "compiled and ran"
	}
	g.t.opts.Log.Log(context.Background(), level, what, "program", "gradients", "group", g.number, "class", p.Class, "seconds", time.Since(begin).Seconds())
	if !finite(r.loss) || !finite(r.norm) {
		for _, x := range r.grads {
			shard.Free(x)
		}
		return r.loss, 0, g.t.explain(p, r.loss, r.norm)
	}
	if err := g.add(program.trained, r.grads); err != nil {
		return r.loss, 0, err
	}
	for _, w := range b.Windows {
		g.windows = append(g.windows, nameOf(w))
	}
	p.count(g.seen)
	g.t.record(g.t.opts.Objective.scaling().With(b.Statistics))
	return r.loss, p.Samples, nil
}

// fillUp repeats the first window until the number of windows is a multiple of n. The
// copies have no weight in the loss.
func fillUp(b *Batch, n int) *Batch {
	if b == nil || len(b.Windows)%n == 0 {
		return b
	}
	full := *b
	full.Windows, full.Present = nil, nil
	for i, w := range b.Windows {
		full.Windows, full.Present = append(full.Windows, w), append(full.Present, b.Present == nil || i < len(b.Present) && b.Present[i])
	}
	for len(full.Windows)%n != 0 {
		full.Windows, full.Present = append(full.Windows, b.Windows[0]), append(full.Present, false)
	}
	return &full
}

// add adds the gradients of one micro-batch to the sums. After an error the sums are as
// they were.
func (g *group) add(trained []string, grads [][]*tensors.Tensor) error {
	var known []string
	var fresh, old [][]*tensors.Tensor
	for i, key := range trained {
		if g.sums[key] != nil {
			known, fresh, old = append(known, key), append(fresh, grads[i]), append(old, g.sums[key])
		}
	}
	sums := map[string][]*tensors.Tensor{}
	if len(known) > 0 {
		out, err := g.combine(g.programs.adds, "sums of gradients", known, Add, fresh, old)
		if err != nil {
			for _, x := range grads {
				shard.Free(x)
			}
			return err
		}
		for i, key := range known {
			shard.Free(old[i])
			sums[key] = out[i]
		}
	}
	for i, key := range trained {
		if g.sums[key] == nil {
			sums[key] = grads[i]
		}
	}
	maps.Copy(g.sums, sums)
	g.micro++
	return nil
}

// combine computes f of pairs of tensors: one of donated, whose memory the results reuse,
// and one of others.
func (g *group) combine(in map[string]*Exec, name string, keys []string, f func(a, b *Node) *Node, donated, others [][]*tensors.Tensor) ([][]*tensors.Tensor, error) {
	exec, err := once(g.programs, in, g.pattern(keys), func() (*Exec, error) {
		axes := g.axes(keys)
		return g.layout.Program(name, func(in []*Node) []*Node {
			out := make([]*Node, len(keys))
			for i := range out {
				out[i] = f(in[i], in[len(keys)+i])
			}
			return out
		}, slices.Concat(axes, axes), axes)
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	args, err := g.donate(keys, donated)
	if err != nil {
		return nil, err
	}
	for _, x := range others {
		args = append(args, shard.Any(x))
	}
	out, err := g.layout.Call(exec, args)
	if err != nil {
		return nil, fmt.Errorf("train: program %s: %w", name, err)
	}
	return out, nil
}

// donate gives the memory of tensors to the next program.
func (g *group) donate(keys []string, list [][]*tensors.Tensor) ([][]any, error) {
	args := make([][]any, len(keys))
	for i, key := range keys {
		var err error
		if args[i], err = g.layout.Donate(list[i]); err != nil {
			return nil, fmt.Errorf("train: %s: %w", key, err)
		}
	}
	return args, nil
}

// axes returns the axes along which the tensors of keys are cut.
func (g *group) axes(keys []string) []int {
	out := make([]int, len(keys))
	for i, key := range keys {
		out[i] = g.slot(key).Axis()
	}
	return out
}

// pattern encodes which tensors are sharded. Lists of the same pattern share programs.
func (g *group) pattern(keys []string) string {
	out := make([]byte, len(keys))
	for i, axis := range g.axes(keys) {
		out[i] = "rs"[axis+1]
	}
	return string(out)
}

// drop discards the gradients since the last update.
func (g *group) drop() {
	g.sums.free()
	g.micro, g.windows, g.seen = 0, nil, &walrus.Coverage{}
}

// close frees programs and all tensors that belong to the group.
func (g *group) close() {
	g.drop()
	g.programs.close()
	for _, list := range []stored{g.params, g.first, g.second, g.average, g.base} {
		list.free()
	}
}
