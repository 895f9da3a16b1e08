package distributed

import (
	"fmt"

	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// apply updates the slots with the sums of gradients that wait, and frees these sums.
// steps counts the updates of every slot, this one included; micro counts the
// micro-batches of all groups. It returns the norm of the mean gradient.
func (g *group) apply(slots []slot, steps map[string]int, micro int, lr float64) (float64, error) {
	n := len(slots)
	rates, roots := make([]float32, n), make([]float32, n)
	args := make([][]any, 4*n, 4*n+4)
	for i, s := range slots {
		rates[i], roots[i] = g.opts.Trainer.AdamW.Rates(lr, steps[s.Key])
		if err := g.start(s); err != nil {
			return 0, err
		}
		for k, list := range []map[string][]*tensors.Tensor{g.params, g.first, g.second} {
			donated, err := g.layout.donate(list[s.Key])
			if err != nil {
				return 0, fmt.Errorf("distributed: %s: %w", s.Key, err)
			}
			args[k*n+i] = donated
		}
		args[3*n+i] = toAny(g.sums[s.Key])
	}
	for _, x := range []any{float32(1 / float64(micro)), float32(lr), rates, roots} {
		value, err := tensors.FromAnyValue(x)
		if err != nil {
			return 0, err
		}
		parts, err := g.layout.split(value, -1)
		if err != nil {
			return 0, err
		}
		defer free(parts)
		args = append(args, toAny(parts))
	}
	exec, err := g.updateProgram(slots)
	if err != nil {
		return 0, err
	}
	out, err := g.layout.call(exec, args)
	if err != nil {
		return 0, fmt.Errorf("distributed: update program: %w", err)
	}
	for i, s := range slots {
		g.params[s.Key], g.first[s.Key], g.second[s.Key] = out[i], out[n+i], out[2*n+i]
	}
	defer free(out[3*n])
	g.drop()
	norm, err := tensors.CopyFlatData[float32](out[3*n][0])
	if err != nil {
		return 0, err
	}
	return float64(norm[0]), g.averageIn(slots)
}

// start sets the moments of a slot to zero before its first update.
func (g *group) start(s slot) error {
	for _, list := range []map[string][]*tensors.Tensor{g.first, g.second} {
		if list[s.Key] == nil {
			if err := g.set(list, s, make([]float32, s.Size())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) updateProgram(slots []slot) (*Exec, error) {
	return once(g.programs, g.programs.updates, pattern(slots), func() (*Exec, error) {
		n := len(slots)
		var in, out []*distributed.ShardingSpec
		if g.layout.mesh != nil {
			for range 4 {
				for _, s := range slots {
					in = append(in, g.layout.spec(s))
				}
			}
			whole := g.layout.replicated()
			out = append(out, in[:3*n]...)
			in, out = append(in, whole, whole, whole, whole), append(out, whole)
		}
		return g.layout.program("update", func(in []*Node) []*Node { return g.opts.Trainer.AdamW.Update(n, in) }, in, out)
	})
}

// averageIn adds the updated slots to the moving average, if the options ask for one.
func (g *group) averageIn(slots []slot) error {
	decay := g.opts.Trainer.EMA
	if decay == 0 {
		return nil
	}
	params := make([][]*tensors.Tensor, len(slots))
	for i, s := range slots {
		params[i] = g.params[s.Key]
	}
	out, err := g.combine(g.programs.averages, "moving average", slots, func(in []*Node) []*Node {
		n := len(in) / 2
		mean := make([]*Node, n)
		for i := range mean {
			mean[i] = Add(MulScalar(in[i], decay), MulScalar(in[n+i], 1-decay))
		}
		return mean
	}, g.average, params)
	if err != nil {
		return err
	}
	for i, s := range slots {
		g.average[s.Key] = out[i]
	}
	return nil
}
