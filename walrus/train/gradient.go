package train

import (
	"fmt"
	"slices"
	"sync/atomic"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
)

// gradientProgram computes loss and gradients for one shape class.
type gradientProgram struct {
	exec *Exec
	ran  atomic.Bool
	// trained and fixed are the keys of the parameters, in the order of the inputs. The
	// gradients have the order of trained.
	trained, fixed []string
}

// gradientProgram returns the program for the shape class of a pass, which it builds at the
// first call. Parameters that the class does not use (encoders and decoders of other
// dimensionalities) are not inputs and get no gradient. Frozen tensors get none either. An
// adapted tensor gets none, but its adapter does.
func (g *group) gradientProgram(p *pass) (*gradientProgram, error) {
	return once(g.programs, g.programs.gradients, p.class(), func() (*gradientProgram, error) { return g.newGradientProgram(p) })
}

func (g *group) newGradientProgram(p *pass) (*gradientProgram, error) {
	params, err := p.params()
	if err != nil {
		return nil, err
	}
	program := &gradientProgram{}
	var adapted []string
	for _, q := range params {
		if g.t.trains(q) {
			program.trained = append(program.trained, q.Key)
			continue
		}
		program.fixed = append(program.fixed, q.Key)
		if g.t.lora.adapts(q.Key) {
			adapted = append(adapted, q.Key)
		}
	}
	if g.t.lora != nil {
		for _, q := range g.t.lora.params {
			program.trained = append(program.trained, q.Key)
		}
	}
	if len(program.trained) == 0 {
		return nil, fmt.Errorf("train: %s: expected tensors to train, got only frozen ones", p.class())
	}
	trained := g.axes(program.trained)
	in := append(trained[:len(trained):len(trained)], g.axes(program.fixed)...)
	for _, x := range p.inputs {
		in = append(in, x.Samples)
	}
	program.exec, err = g.layout.Program("gradients", func(in []*Node) []*Node {
		return g.gradients(program, adapted, p, in)
	}, in, append([]int{-1, -1}, trained...))
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", p.class(), err)
	}
	return program, nil
}

// gradients builds the loss, the norm of its gradient, and the gradient of each trained
// tensor. It differentiates by the whole tensors, so that the sum over devices is cut into
// shards once.
func (g *group) gradients(program *gradientProgram, adapted []string, p *pass, in []*Node) []*Node {
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
	in = in[len(program.fixed):]
	for _, key := range adapted {
		weights[key] = g.t.lora.merged(weights[key], weights[key+adapterA], weights[key+adapterB])
	}
	loss := p.loss(weights, in).Loss
	grads := Gradient(loss, trained...)
	out := []*Node{loss, globalNorm(grads)}
	for i, d := range grads {
		out = append(out, g.layout.Flat(g.slot(program.trained[i]), d))
	}
	return out
}

// passResult holds the results of a gradient program.
type passResult struct {
	loss, norm float64
	grads      [][]*tensors.Tensor // in the order of gradientProgram.trained
}

// run executes a gradient program.
func (g *group) run(program *gradientProgram, p *pass) (r passResult, err error) {
	var args [][]any
	weights, err := g.inputs(slices.Concat(program.trained, program.fixed))
	if err != nil {
		return r, err
	}
	for _, x := range weights {
		args = append(args, shard.Any(x))
	}
	for _, x := range p.inputs {
		parts, free, err := g.layout.Split(x.Tensor, x.Samples)
		if err != nil {
			return r, fmt.Errorf("%s: %w", x.Name, err)
		}
		defer free()
		args = append(args, shard.Any(parts))
	}
	out, err := g.layout.Call(program.exec, args)
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
