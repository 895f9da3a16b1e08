package inputs

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
)

// group is what a program of several devices adds to one of a single device.
type group struct {
	layout  *shard.Layout
	outputs int
	build   func(in Nodes) []*Node
	err     error // of compile
}

// NewGroupProgram returns a program with the given number of outputs that runs on all devices
// of a group. Every device has the whole outputs.
func NewGroupProgram(l *shard.Layout, outputs int, f func(in Nodes) []*Node) *Program {
	return &Program{group: &group{layout: l, outputs: outputs, build: f}}
}

// compile builds the program for inputs like those of the first call.
func (g *group) compile(in List) (*Exec, error) {
	axes, out := make([]int, len(in)), make([]int, g.outputs)
	for i, x := range in {
		axes[i] = x.Samples
		if x.Parts != nil {
			axes[i] = x.Slot.Axis()
		}
	}
	for i := range out {
		out[i] = -1
	}
	slots := make([]shard.Slot, len(in))
	for i, x := range in {
		slots[i] = x.Slot
	}
	names := in.Names()
	return g.layout.Program("step", func(in []*Node) []*Node {
		whole := make([]*Node, len(in))
		for i, x := range in {
			whole[i] = slots[i].Whole(x)
		}
		return g.build(named(names, whole))
	}, axes, out)
}

// call runs the program and returns the outputs on the first device.
func (g *group) call(exec *Exec, in List) ([]*tensors.Tensor, error) {
	if g.err != nil {
		return nil, g.err
	}
	args := make([][]any, len(in))
	for i, x := range in {
		parts := x.Parts
		if parts == nil {
			split, free, err := g.layout.Split(x.Tensor, x.Samples)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", x.Name, err)
			}
			defer free()
			parts = split
		}
		args[i] = shard.Any(parts)
	}
	all, err := g.layout.Call(exec, args)
	if err != nil {
		return nil, err
	}
	out := make([]*tensors.Tensor, len(all))
	for i, x := range all {
		out[i] = x[0]
		shard.Free(x[1:])
	}
	return out, nil
}
