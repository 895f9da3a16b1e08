package walrus

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
)

// Names of the inputs of derivatives. Those of a window's frames have a tangent each.
const (
	cotangentName = "cotangent"
	constantsName = "constants"
	tangentPrefix = "tangent of "
)

// compileDerivatives adds the derivatives of a step to its program.
func (e *Emulator) compileDerivatives(p *stepProgram, steps int, volume data.Volume, plan *csm.Plan) (err error) {
	p.pull, p.push = map[bool]*inputs.Program{}, map[bool]*inputs.Program{}
	for _, frozen := range []bool{false, true} {
		// The backward pass of training is faster, but in a loop it has no derivative itself.
		pulled := func(in inputs.Nodes, training bool) (names []string, out []*Node) {
			for i := range steps {
				names = append(names, frameName(i))
			}
			if in.Optional(constantsName) != nil {
				names = append(names, constantsName)
			}
			of := make([]*Node, len(names))
			for i, name := range names {
				of[i] = in.Get(name)
			}
			u := e.differentiable(in, steps, volume, plan, frozen, training)
			return names, Gradient(ReduceAllSum(Mul(u, in.Get(cotangentName))), of...)
		}
		if p.pull[frozen], err = inputs.NewProgram(e.opts.Backend, func(in inputs.Nodes) []*Node {
			_, out := pulled(in, true)
			return out
		}); err != nil {
			return err
		}
		// gomlx has no forward mode. The pulled gradients are linear in the cotangent; the
		// gradient of their product with the tangents is the tangent of the next frame.
		if p.push[frozen], err = inputs.NewProgram(e.opts.Backend, func(in inputs.Nodes) []*Node {
			names, out := pulled(in, false)
			sum := ScalarZero(out[0].Graph(), out[0].DType())
			for i, name := range names {
				sum = Add(sum, ReduceAllSum(Mul(out[i], in.Get(tangentPrefix+name))))
			}
			return Gradient(sum, in.Get(cotangentName))
		}); err != nil {
			return err
		}
	}
	return nil
}

// differentiable returns the next frame of one lane, [1, 1, Cv, H, W, D], averaged over its
// draws. Unless frozen is set, gradients pass through the statistics of the history.
// training selects the backward pass of training, without its recomputation of cheap
// activations.
func (e *Emulator) differentiable(in inputs.Nodes, steps int, volume data.Volume, plan *csm.Plan, frozen, training bool) *Node {
	step := e.stepInputs(history(in, steps), in, volume)
	step.Net.Backward = training
	if step.Stats == nil && !frozen {
		stats := sampleStats(WithConstants(step.History, step.Constants), e.scaling)
		step.Stats = &stats
	}
	return result(e.model.NextFrame(e.named(in, plan), step, plan, e.scaling), 1)[0]
}

// trajectory is a forecast whose steps can be differentiated.
type trajectory struct {
	*rollout
	frozen bool
	states [][]float32 // the frames of the window, then of the forecast
	draws  [][]Draws   // by step
}

// history returns the inputs that hold the frames from which a step starts. The caller
// frees them.
func (t *trajectory) history(step int) (l inputs.List, err error) {
	for i := range t.window.Frames {
		x, err := t.spread(t.states[step-1+i : step+i])
		if err != nil {
			l.Free()
			return nil, err
		}
		l.Add(frameName(i), x)
	}
	return l, nil
}

// each calls a derivative of a step for every part of its draws. It adds the inputs that the
// function returns and passes the results on, with the part's share of the draws.
func (t *trajectory) each(step int, p *inputs.Program, given func() (inputs.List, error), use func(share float64, out [][]float32)) error {
	history, err := t.history(step)
	if err != nil {
		return err
	}
	defer history.Free()
	more, err := given()
	if err != nil {
		return err
	}
	defer more.Free()
	list := t.draws[step-1]
	for _, part := range t.parts() {
		if err := t.derive(p, list[part.from:part.to], history, more, func(out [][]float32) {
			use(float64(part.to-part.from)/float64(len(list)), out)
		}); err != nil {
			return err
		}
	}
	return nil
}

// derive runs a derivative with some of the draws.
func (t *trajectory) derive(p *inputs.Program, list []Draws, history, more inputs.List, use func(out [][]float32)) error {
	drawn, err := t.drawn(list)
	if err != nil {
		return err
	}
	defer drawn.Free()
	out, err := t.call(p, t.weights, history, drawn, t.fixed, t.stats, more)
	if err != nil {
		return err
	}
	defer finalizeAll(out)
	flat := make([][]float32, len(out))
	for i, x := range out {
		if flat[i], err = tensors.CopyFlatData[float32](x); err != nil {
			return err
		}
	}
	use(flat)
	return nil
}

// pull returns the gradients with respect to the frames from which a step starts, and to the
// constant fields, of a function whose gradient with respect to the step's frame is given.
// All have the padding components of the network.
func (t *trajectory) pull(step int, cotangent []float32) (sums [][]float64, err error) {
	err = t.each(step, t.program.pull[t.frozen], func() (l inputs.List, err error) {
		x, err := t.spread([][]float32{cotangent})
		if err == nil {
			l.Add(cotangentName, x)
		}
		return l, err
	}, func(share float64, out [][]float32) {
		if sums == nil {
			sums = make([][]float64, len(out))
		}
		for i, v := range out {
			sums[i] = addTo(sums[i], v, share)
		}
	})
	return sums, err
}

// push returns the tangent of a step's frame, given those of the frames from which it starts
// and of the constant fields, which may be nil.
func (t *trajectory) push(step int, frames [][]float32, constants []float32) ([]float32, error) {
	var sum []float64
	err := t.each(step, t.program.push[t.frozen], func() (inputs.List, error) { return t.tangents(frames, constants) },
		func(share float64, out [][]float32) { sum = addTo(sum, out[0], share) })
	if err != nil {
		return nil, err
	}
	return t.volume.Gather(single(sum))
}

// tangents returns the inputs of push.
func (t *trajectory) tangents(frames [][]float32, constants []float32) (l inputs.List, err error) {
	zero := t.frame(make([]float32, len(t.volume.Variable)*t.volume.Points()))
	l.Add(cotangentName, zero) // any would do: the result does not depend on it
	for i := range frames {
		x, err := t.spread(frames[i : i+1])
		if err != nil {
			l.Free()
			return nil, err
		}
		l.Add(tangentPrefix+frameName(i), x)
	}
	if len(t.volume.Constant) == 0 {
		return l, nil
	}
	x, err := t.constants(constants)
	if err != nil {
		l.Free()
		return nil, err
	}
	l.Add(tangentPrefix+constantsName, x)
	return l, nil
}
