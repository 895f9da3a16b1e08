package train

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
)

// Update applies the mean of the gradients that all groups have accumulated with AdamW at
// learning rate lr and returns their global norm before clipping. Tensors without a gradient
// since the last update do not change, not even by weight decay, as in the release. A
// negative or infinite rate is an error. A gradient norm that is not finite is a
// [NonFiniteError] that leaves weights, moments and step as they were and discards the
// gradients, so that training can go on.
func (t *Trainer) Update(lr float64) (norm float64, err error) {
	if err := checkRate(lr); err != nil {
		return 0, err
	}
	if err := t.enter(); err != nil {
		return 0, fmt.Errorf("train: update: %w", err)
	}
	defer t.uses.Leave()
	keys, micro, err := t.exchange()
	if err != nil {
		return 0, err
	}
	if micro == 0 {
		return 0, fmt.Errorf("train: update: expected accumulated gradients, got none")
	}
	norms := make([]float64, len(t.groups))
	err = t.each(func(i int, g *group) (err error) {
		norms[i], err = g.apply(keys, micro, lr)
		return err
	})
	if err != nil {
		return 0, err
	}
	norm = norms[0]
	if !finite(norm) {
		e := &NonFiniteError{Norm: norm}
		for _, g := range t.groups {
			e.Windows = append(e.Windows, g.windows...)
		}
		t.drop()
		return norm, e
	}
	for _, key := range keys {
		t.steps[key]++
	}
	if t.weights != nil {
		for _, g := range t.groups {
			t.weights.Coverage().Add(g.seen)
		}
	}
	t.drop()
	t.step++
	return norm, nil
}

// checkRate checks a learning rate.
func checkRate(lr float64) error {
	if !(lr >= 0) || math.IsInf(lr, 0) {
		return fmt.Errorf("train: update: expected a finite learning rate of at least 0, got %v", lr)
	}
	return nil
}

// apply updates the tensors of keys with their sums of gradients. micro counts the
// micro-batches of all groups. It returns the norm of the mean gradient. If the norm is not
// finite, nothing has changed.
func (g *group) apply(keys []string, micro int, lr float64) (float64, error) {
	n := len(keys)
	rates, roots := make([]float32, n), make([]float32, n)
	for i, key := range keys {
		rates[i], roots[i] = g.t.opts.AdamW.rates(lr, g.t.steps[key]+1)
		if err := g.start(key); err != nil {
			return 0, err
		}
	}
	exec, err := g.updateProgram(keys)
	if err != nil {
		return 0, err
	}
	scalars, free, err := g.replicate(float32(1/float64(micro)), float32(lr), rates, roots)
	if err != nil {
		return 0, err
	}
	defer free()
	params, err := g.current(g.t.net.Tensors(), g.params, keys)
	if err != nil {
		return 0, err
	}
	var args [][]any
	for _, list := range [][][]*tensors.Tensor{params, g.first.of(keys), g.second.of(keys)} {
		donated, err := g.donate(keys, list)
		if err != nil {
			return 0, err
		}
		args = append(args, donated...)
	}
	for _, x := range g.sums.of(keys) {
		args = append(args, shard.Any(x))
	}
	out, err := g.layout.Call(exec, append(args, scalars...))
	if err != nil {
		return 0, fmt.Errorf("train: update program: %w", err)
	}
	defer shard.Free(out[3*n])
	for i, key := range keys {
		g.first[key], g.second[key] = out[n+i], out[2*n+i]
		if err := g.replace(g.t.net.Tensors(), g.params, key, out[i]); err != nil {
			return 0, err
		}
	}
	value, err := tensors.CopyFlatData[float32](out[3*n][0])
	if err != nil {
		return 0, err
	}
	if norm := float64(value[0]); !finite(norm) {
		return norm, nil
	}
	return float64(value[0]), g.updated(keys)
}

// replicate copies values to every device of the group.
func (g *group) replicate(values ...any) (args [][]any, free func(), err error) {
	var all [][]*tensors.Tensor
	free = func() {
		for _, x := range all {
			shard.Free(x)
		}
	}
	for _, v := range values {
		x, err := tensors.FromAnyValue(v)
		if err != nil {
			free()
			return nil, nil, fmt.Errorf("train: update: %w", err)
		}
		parts, _, err := g.layout.Split(x, -1)
		if err != nil {
			free()
			return nil, nil, fmt.Errorf("train: update: %w", err)
		}
		all, args = append(all, parts), append(args, shard.Any(parts))
	}
	return args, free, nil
}

// start sets the moments of a tensor to zero before its first update.
func (g *group) start(key string) error {
	for _, list := range []stored{g.first, g.second} {
		if list[key] == nil {
			if err := g.set(list, key, make([]float32, g.slot(key).Size())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) updateProgram(keys []string) (*Exec, error) {
	exec, err := once(g.programs, g.programs.updates, g.pattern(keys), func() (*Exec, error) {
		var in []int
		axes := g.axes(keys)
		for range 3 {
			in = append(in, axes...)
		}
		out := append(in[:len(in):len(in)], -1)
		in = append(append(in, axes...), -1, -1, -1, -1)
		return g.layout.Program("update", func(in []*Node) []*Node { return g.t.opts.AdamW.program(len(keys), in) }, in, out)
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return exec, nil
}

// updated recomputes the adapted tensors and the moving average after an update of the
// given tensors.
func (g *group) updated(keys []string) error {
	if g.t.lora != nil {
		if err := g.mergeAdapters(); err != nil {
			return err
		}
		var network []string
		for _, key := range keys {
			if !g.t.lora.has(key) {
				network = append(network, key)
			}
		}
		keys = append(network, g.t.lora.keys...)
	}
	decay := g.t.opts.EMA
	if decay == 0 {
		return nil
	}
	params, err := g.current(g.t.net.Tensors(), g.params, keys)
	if err != nil {
		return err
	}
	average, err := g.current(g.t.mean.Tensors(), g.average, keys)
	if err != nil {
		return err
	}
	out, err := g.combine(g.programs.averages, "moving average", keys, func(average, now *Node) *Node {
		return Add(MulScalar(average, decay), MulScalar(now, 1-decay))
	}, average, params)
	if err != nil {
		return err
	}
	for i, key := range keys {
		if err := g.replace(g.t.mean.Tensors(), g.average, key, out[i]); err != nil {
			return err
		}
	}
	return nil
}
