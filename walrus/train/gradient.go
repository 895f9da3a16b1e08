package train

import (
	"fmt"
	"slices"
	"sync/atomic"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/shard"
)

// passProgram computes something of a pass, for one shape class: its gradients or a forecast.
type passProgram struct {
	exec *Exec
	ran  atomic.Bool
	// trained and fixed are the keys of the parameters, in the order of the inputs.
	// adapted are those of fixed that have adapters.
	trained, fixed, adapted []string
}

// gradientProgram returns the program for loss and gradients of the shape class of a pass,
// which it builds at the first call. Parameters that the class does not use (encoders and
// decoders of other dimensionalities) are not inputs and get no gradient. Frozen tensors get
// none either. An adapted tensor gets none, but its adapter does. The gradients have the
// order of passProgram.trained.
func (g *group) gradientProgram(p *Pass) (*passProgram, error) {
	return once(g.programs, g.programs.gradients, p.Class, func() (*passProgram, error) {
		program, err := g.parameters(p)
		if err != nil {
			return nil, err
		}
		if len(program.trained) == 0 {
			return nil, fmt.Errorf("train: %s: expected tensors to train, got only frozen ones", p.Class)
		}
		return program, g.build(program, p, "gradients", g.gradients, append([]int{-1, -1}, g.axes(program.trained)...))
	})
}

// parameters returns a program without code: the parameters that a pass uses.
func (g *group) parameters(p *Pass) (*passProgram, error) {
	params, err := g.t.used(p)
	if err != nil {
		return nil, err
	}
	program := &passProgram{}
	for _, q := range params {
		if g.t.trains(q) {
			program.trained = append(program.trained, q.Key)
			continue
		}
		program.fixed = append(program.fixed, q.Key)
		if g.t.lora.adapts(q.Key) {
			program.adapted = append(program.adapted, q.Key)
		}
	}
	if g.t.lora != nil {
		for _, q := range g.t.lora.params {
			program.trained = append(program.trained, q.Key)
		}
	}
	return program, nil
}

// build makes the code of a program from f, which gets the weights by key, those that are
// trained in their order, and the inputs of the pass. out are the axes along which the
// results are cut over devices.
func (g *group) build(program *passProgram, p *Pass, name string, f func(p *Pass, program *passProgram, weights map[string]*Node, trained, in []*Node) []*Node, out []int) (err error) {
	axes := slices.Concat(g.axes(program.trained), g.axes(program.fixed))
	for _, x := range p.Inputs {
		axes = append(axes, x.Samples)
	}
	program.exec, err = g.layout.Program(name, func(in []*Node) []*Node {
		weights := map[string]*Node{}
		trained := make([]*Node, len(program.trained))
		for i, key := range program.trained {
			trained[i] = g.slot(key).Whole(in[i])
			weights[key] = trained[i]
		}
		in = in[len(trained):]
		for i, key := range program.fixed {
			weights[key] = g.slot(key).Whole(in[i])
		}
		for _, key := range program.adapted {
			weights[key] = g.t.lora.merged(weights[key], weights[key+adapterA], weights[key+adapterB])
		}
		return f(p, program, weights, trained, in[len(program.fixed):])
	}, axes, out)
	if err != nil {
		return fmt.Errorf("train: %s: %w", p.Class, err)
	}
	return nil
}

// gradients builds the loss, the norm of its gradient, and the gradient of each trained
// tensor. It differentiates by the whole tensors, so that the sum over devices is cut into
// shards once.
func (g *group) gradients(p *Pass, program *passProgram, weights map[string]*Node, trained, in []*Node) []*Node {
	loss := p.Loss(weights, p.Inputs.Nodes(in))
	grads := Gradient(loss, trained...)
	out := []*Node{loss, globalNorm(grads)}
	for i, d := range grads {
		out = append(out, g.layout.Flat(g.slot(program.trained[i]), d))
	}
	return out
}

// call runs a program on the given inputs of a pass.
func (g *group) call(program *passProgram, list inputs.List) ([][]*tensors.Tensor, error) {
	var args [][]any
	weights, err := g.inputs(slices.Concat(program.trained, program.fixed))
	if err != nil {
		return nil, err
	}
	for _, x := range weights {
		args = append(args, shard.Any(x))
	}
	for _, x := range list {
		parts, free, err := g.layout.Split(x.Tensor, x.Samples)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
		defer free()
		args = append(args, shard.Any(parts))
	}
	return g.layout.Call(program.exec, args)
}

// passResult holds the results of a gradient program.
type passResult struct {
	loss, norm float64
	grads      [][]*tensors.Tensor // in the order of passProgram.trained
}

// run executes a gradient program.
func (g *group) run(program *passProgram, p *Pass) (r passResult, err error) {
	out, err := g.call(program, p.Inputs)
	if err != nil {
		return r, fmt.Errorf("gradient program: %w", err)
	}
	for i, to := range []*float64{&r.loss, &r.norm} {
		defer shard.Free(out[i])
		value, err := tensors.CopyFlatData[float32](out[i][0])
		if err != nil {
			return r, err
		}
		*to = float64(value[0])
	}
	r.grads = out[2:]
	return r, nil
}
