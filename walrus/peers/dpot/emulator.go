package dpot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/step"
)

// Emulator runs a network. It compiles one program for each shape of the input and is safe
// for concurrent use.
type Emulator struct {
	config  Config
	weights step.Weights
	step    *inputs.Program
}

// NewEmulator returns an emulator of the network on the first device of a backend. It uses
// the weights without copying them, and they must not be changed while it does.
func NewEmulator(w *Weights, backend compute.Backend) (*Emulator, error) {
	if w == nil || w.TensorSet == nil || backend == nil {
		return nil, errors.New("dpot: emulator: expected weights and a backend (see package walrus/backend), got none")
	}
	m, err := NewModel(w.config)
	if err != nil {
		return nil, err
	}
	e := &Emulator{config: m.config, weights: step.NewWeights(w.TensorSet)}
	e.step, err = inputs.NewProgram(backend, func(in inputs.Nodes) []*Node { return stepGraph(m, in) })
	if err != nil {
		return nil, fmt.Errorf("dpot: emulator: %w", err)
	}
	return e, nil
}

// stepGraph returns the next frames and the next window, which ends with these frames and
// has as many frames as x.
func stepGraph(m *Model, in inputs.Nodes) []*Node {
	x := in.Get("x")
	w := m.Weights(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in.Get(key) }))
	y := m.Forward(w, x).Y
	if m.config.InChannels != m.config.OutChannels {
		return []*Node{y, y} // there is no next window
	}
	all := Concatenate([]*Node{x, y}, -2)
	return []*Node{y, SliceAxis(all, -2, AxisRange(-m.config.InSteps))}
}

// On returns an emulator that runs the same programs with the same weights on another device of
// the backend. Only one of them must be closed.
func (e *Emulator) On(device compute.DeviceNum) *Emulator {
	other := *e
	other.weights = e.weights.On(device)
	return &other
}

// Close frees the compiled programs. The weights stay.
func (e *Emulator) Close() {
	if e.step != nil {
		e.step.Close()
	}
}

// Rollout forecasts steps frames after the window x, row major with the shape
// [B, X…, T, C]: T must be [Config.InSteps], and C at most [Config.InChannels]. Missing
// channels of the window are 1. In later steps they have the network's outputs, as in the
// original. The grid is any that [Config.CheckGrid] accepts.
//
// Each element of the sequence is a frame [B, X…, C] with the channels of x. Values are in
// the units of x: the network does not know others. The original was trained on raw values;
// the Walrus paper normalised each channel by its mean and standard deviation over the data
// set (appendix B.3), which is up to the caller.
//
// The sequence ends with an error for bad input, a failed program, or the end of ctx.
func (e *Emulator) Rollout(ctx context.Context, x []float32, shape []int, steps int) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		if err := e.rollout(ctx, x, shape, steps, func(frame []float32) bool { return yield(frame, nil) }); err != nil {
			yield(nil, fmt.Errorf("dpot: rollout: %w", err))
		}
	}
}

func (e *Emulator) rollout(ctx context.Context, x []float32, shape []int, steps int, yield func([]float32) bool) error {
	if e.step == nil {
		return errors.New("expected an emulator of NewEmulator, got a zero one")
	}
	if err := e.check(x, shape, steps); err != nil {
		return err
	}
	release, err := e.weights.Use()
	if err != nil {
		return err
	}
	defer release()
	channels := shape[len(shape)-1]
	window := e.padded(x, shape)
	defer func() { window.FinalizeAll() }()
	for done := 0; done < steps; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var list inputs.List
		list.Add("x", window)
		y, next, err := e.weights.Run(e.step, list)
		if err != nil {
			return err
		}
		window.FinalizeAll()
		window = next
		for t := 0; t < e.config.OutSteps && done < steps; t++ {
			if !yield(e.frame(y, t, min(channels, e.config.OutChannels))) {
				return nil
			}
			done++
		}
	}
	return nil
}

// padded returns x with the network's number of channels. Missing channels are 1.
func (e *Emulator) padded(x []float32, shape []int) *tensors.Tensor {
	have, want := shape[len(shape)-1], e.config.InChannels
	out := make([]float32, 0, len(x)/have*want)
	for point := range slices.Chunk(x, have) {
		out = append(out, point...)
		for range want - have {
			out = append(out, 1)
		}
	}
	return tensors.FromFlatDataAndDimensions(out, append(slices.Clone(shape[:len(shape)-1]), want)...)
}

// frame returns step t and the first channels of y [B, X…, OutSteps, OutChannels].
func (e *Emulator) frame(y []float32, t, channels int) []float32 {
	width := e.config.OutSteps * e.config.OutChannels
	out := make([]float32, 0, len(y)/width*channels)
	for at := t * e.config.OutChannels; at < len(y); at += width {
		out = append(out, y[at:at+channels]...)
	}
	return out
}

func (e *Emulator) check(x []float32, shape []int, steps int) error {
	c := e.config
	if steps < 1 {
		return fmt.Errorf("expected at least one step, got %d", steps)
	}
	if len(shape) != c.Axes()+3 {
		return fmt.Errorf("expected a window [batch, %d spatial axes, time, channels], got shape %v", c.Axes(), shape)
	}
	if n, err := safetensors.Elements(shape); err != nil || n != len(x) || n == 0 {
		return fmt.Errorf("expected as many values as shape %v has, at least one, got %d", shape, len(x))
	}
	if err := c.CheckGrid(shape[1 : 1+c.Axes()]); err != nil {
		return err
	}
	if got := shape[len(shape)-2]; got != c.InSteps {
		return fmt.Errorf("expected %d frames, got %d", c.InSteps, got)
	}
	if got := shape[len(shape)-1]; got > c.InChannels {
		return fmt.Errorf("expected at most %d channels, got %d; a network for more channels needs finetuning (see Transfer)", c.InChannels, got)
	}
	if c.InChannels != c.OutChannels && steps > c.OutSteps {
		return fmt.Errorf("expected at most %d steps from a network with %d input and %d output channels, got %d", c.OutSteps, c.InChannels, c.OutChannels, steps)
	}
	return nil
}
