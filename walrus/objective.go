package walrus

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// Objective is a differentiable scalar function of a forecast, for [Emulator.Gradient]. An
// emulator compiles it once for every combination of fields, grid and steps, so a loop should
// use the same Objective again. Package walrus/objective has objectives.
type Objective struct {
	value func(t Trajectory) *Node
}

// NewObjective returns the objective whose graph value builds. value returns a float32
// scalar. It may panic, as functions that build graphs do; Gradient returns the panic as an
// error. Values that value copies into the graph are constants of the compiled program.
func NewObjective(value func(t Trajectory) *Node) *Objective { return &Objective{value} }

// Trajectory holds the frames of a window and its forecast as nodes, in physical units.
type Trajectory struct {
	// Channels names the variable channels: "density", "velocity_x".
	Channels []string
	// History holds the frames of the window and Forecast the forecast frames, each with
	// the window's channels and grid: [C, H, W] in 2D.
	History, Forecast []*Node
}

// Frame returns the frame of a step: 1 is the first forecast frame, 0 the last frame of the
// window and −1 the one before. It panics if there is none.
func (t Trajectory) Frame(step int) *Node {
	i := step - 1 + len(t.History)
	if i < 0 || step > len(t.Forecast) {
		panic(fmt.Errorf("expected a step from %d to %d, got %d", 1-len(t.History), len(t.Forecast), step))
	}
	return slices.Concat(t.History, t.Forecast)[i]
}

// Channel returns one channel of the frame of a step, on the window's grid. It panics if
// there is none.
func (t Trajectory) Channel(step int, name string) *Node {
	i := slices.Index(t.Channels, name)
	if i < 0 {
		panic(fmt.Errorf("expected one of the channels %v, got %s", t.Channels, name))
	}
	return Squeeze(SliceAxis(t.Frame(step), 0, AxisElem(i)), 0)
}

// build returns the value and its gradients with respect to all frames.
func (o *Objective) build(channels []string, history int, frames []*Node) []*Node {
	defer func() { // the functions of gomlx expect errors
		if r := recover(); r != nil {
			if err, ok := r.(error); ok {
				panic(fmt.Errorf("objective: %w", err))
			}
			panic(fmt.Errorf("objective: %v", r))
		}
	}()
	value := o.value(Trajectory{slices.Clone(channels), slices.Clone(frames[:history]), slices.Clone(frames[history:])})
	if value == nil || !value.IsScalar() || value.DType() != frames[0].DType() {
		panic(fmt.Errorf("expected a scalar of type %s, got %v", frames[0].DType(), value))
	}
	return append([]*Node{value}, Gradient(value, frames...)...)
}

// evaluate returns the value of an objective and its gradient with respect to every frame,
// of the window and the forecast.
func (t *trajectory) evaluate(o *Objective) (value float64, slopes [][]float64, err error) {
	w := t.window
	channels, history := w.Channels(false), len(w.Frames)
	class := fmt.Sprintf("objective %p channels %q grid %v frames %d+%d", o, channels, w.Grid, history, len(t.draws))
	p, err := t.e.reuse("objective", class, func() (*stepProgram, error) {
		step, err := inputs.NewProgram(t.e.opts.Backend, func(in inputs.Nodes) []*Node {
			frames := make([]*Node, len(in))
			for i := range frames {
				frames[i] = in.Get(frameName(i))
			}
			return o.build(channels, history, frames)
		})
		return &stepProgram{step: step, objective: o}, err
	})
	if err != nil {
		return 0, nil, err
	}
	defer t.e.unuse(p)
	var in inputs.List
	defer func() { in.Free() }()
	for i, u := range t.states {
		in.Add(frameName(i), tensors.FromFlatDataAndDimensions(u, append([]int{len(channels)}, w.Grid...)...))
	}
	out, err := p.step.Call(compute.DeviceNum(t.e.opts.Device), in)
	if err != nil {
		return 0, nil, err
	}
	defer finalizeAll(out)
	for i, x := range out {
		flat, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return 0, nil, err
		}
		if k := nonfinite.First(flat); k >= 0 {
			return 0, nil, fmt.Errorf("objective: expected a finite value and gradient, got %v", flat[k])
		}
		if i == 0 {
			value = float64(flat[0])
			continue
		}
		slopes = append(slopes, nil)
		if slices.ContainsFunc(flat, func(v float32) bool { return v != 0 }) {
			slopes[i-1] = addTo(nil, flat, 1)
		}
	}
	return value, slopes, nil
}
