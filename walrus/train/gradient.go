package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// gradientProgram computes loss and gradients for one shape class.
type gradientProgram struct {
	exec *Exec
	// trained and fixed are the keys of the parameters, in the order of the inputs. The
	// gradients have the order of trained.
	trained, fixed []walrus.Param
}

// newGradientProgram builds the program for the shape class of a batch. Parameters that the
// class does not use (encoders and decoders of other dimensionalities) are not inputs and
// get no gradient. Frozen tensors get none either. An adapted tensor gets none, but its
// adapter does.
func (t *Trainer) newGradientProgram(pass *Pass) (*gradientProgram, error) {
	p := &gradientProgram{}
	params, err := pass.Params()
	if err != nil {
		return nil, err
	}
	var adapted []string
	for _, q := range params {
		if t.trains(q) {
			p.trained = append(p.trained, q)
			continue
		}
		p.fixed = append(p.fixed, q)
		if t.lora != nil && t.lora.target[q.Key] {
			adapted = append(adapted, q.Key)
		}
	}
	if t.lora != nil {
		p.trained = append(p.trained, t.lora.params...)
	}
	if len(p.trained) == 0 {
		return nil, fmt.Errorf("train: %s: expected tensors to train, got only frozen ones", pass.Class())
	}
	p.exec, err = NewExec(t.opts.Backend, func(in []*Node) []*Node {
		nodes := map[string]*Node{}
		for i, q := range append(append([]walrus.Param{}, p.trained...), p.fixed...) {
			nodes[q.Key] = in[i]
		}
		rest := in[len(nodes):]
		for _, key := range adapted {
			nodes[key] = t.lora.merged(nodes[key], nodes[key+adapterA], nodes[key+adapterB])
		}
		r := pass.Loss(nodes, rest)
		return append([]*Node{r.Loss}, Gradient(r.Loss, in[:len(p.trained)]...)...)
	})
	if err != nil {
		return nil, fmt.Errorf("train: building the gradient program for %s: %w", pass.Class(), err)
	}
	return p, nil
}

// nodes assigns the nodes of hostBatch.inputs to their names.
func (h *hostBatch) nodes(in []*Node) BatchNodes {
	b := BatchNodes{Fields: in[0], Real: in[2], Net: walrus.Inputs{IDs: in[1], Shift: in[3], Rolls: in[4]}}
	in = in[5:]
	if h.keepTime != nil {
		b.Net.KeepTime, b.Net.KeepSpace, in = in[0], in[1], in[2:]
	}
	if h.keepFields != nil {
		b.KeepFields, in = in[0], in[1:]
	}
	if h.present != nil {
		b.Present, in = in[0], in[1:]
	}
	if h.global != nil {
		b.Stats, in = &walrus.Stats{Mean: in[0], Std: in[1], DeltaMean: in[2], DeltaStd: in[3]}, in[4:]
	}
	if h.nConst > 0 {
		b.Constants = in[0]
	}
	if h.volume.Mask >= 0 {
		b.Solid = SliceAxis(b.Constants, 1, AxisElem(h.volume.Mask))
	}
	return b
}

// run returns the loss and the gradients, on the device.
func (p *gradientProgram) run(value func(key string) (*tensors.Tensor, error), batch []*tensors.Tensor) (float64, []*tensors.Tensor, error) {
	args := make([]any, 0, len(p.trained)+len(p.fixed)+len(batch))
	for _, list := range [][]walrus.Param{p.trained, p.fixed} {
		for _, q := range list {
			x, err := value(q.Key)
			if err != nil {
				return 0, nil, err
			}
			args = append(args, x)
		}
	}
	for _, t := range batch {
		args = append(args, t)
	}
	out, err := p.exec.Call(args...)
	if err != nil {
		return 0, nil, fmt.Errorf("train: gradient program: %w", err)
	}
	loss, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return 0, nil, err
	}
	return float64(loss[0]), out[1:], nil
}
