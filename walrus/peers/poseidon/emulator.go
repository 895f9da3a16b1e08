package poseidon

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

// LeadTime is the lead time of one step: one of 20 steps of a trajectory, as in the
// original's pretraining. The Walrus paper finetuned and forecast with it.
const LeadTime = 0.05

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
		return nil, errors.New("poseidon: emulator: expected weights and a backend (see package walrus/backend), got none")
	}
	m, err := NewModel(w.config)
	if err != nil {
		return nil, err
	}
	e := &Emulator{config: m.config, weights: step.NewWeights(w.TensorSet)}
	e.step, err = inputs.NewProgram(backend, func(in inputs.Nodes) []*Node { return stepGraph(m, in) })
	if err != nil {
		return nil, fmt.Errorf("poseidon: emulator: %w", err)
	}
	return e, nil
}

// stepGraph returns the next frames and the next input: the predicted channels, followed by
// the further channels of the input.
func stepGraph(m *Model, in inputs.Nodes) []*Node {
	x, c := in.Get("x"), m.config
	vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in.Get(key) })
	y := m.Build(vars, Inputs{X: x, Time: in.Get("time")})
	next := y
	if c.OutChannels < c.InChannels {
		next = Concatenate([]*Node{y, SliceAxis(x, 1, AxisRange(c.OutChannels))}, 1)
	}
	return []*Node{y, next}
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

// Rollout forecasts steps frames, each after the lead time [LeadTime]; see
// [Emulator.RolloutAfter].
func (e *Emulator) Rollout(ctx context.Context, x []float32, shape []int, steps int) iter.Seq2[[]float32, error] {
	if steps < 1 || steps > maxSteps {
		return func(yield func([]float32, error) bool) {
			yield(nil, fmt.Errorf("poseidon: rollout: expected 1 to %d steps, got %d", maxSteps, steps))
		}
	}
	return e.RolloutAfter(ctx, x, shape, slices.Repeat([]float32{LeadTime}, steps))
}

// maxSteps bounds the steps of a rollout.
const maxSteps = 1 << 24

// RolloutAfter forecasts one frame for each of the given lead times, from the frames x, row
// major with the shape [B, C_in, H, W]. Every frame is predicted from the one before.
// The grid is any that [Config.CheckGrid] accepts.
//
// Each element of the sequence holds frames [B, C_out, H, W]. Input channels beyond the
// output's stay the same in all steps, as in the original. Values are normalised: by fixed
// constants in the original's pretraining, by mean and standard deviation of the data set in
// the Walrus paper (appendix B.3).
//
// The sequence ends with an error for bad input, a failed program, or the end of ctx.
func (e *Emulator) RolloutAfter(ctx context.Context, x []float32, shape []int, leads []float32) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		if err := e.rollout(ctx, x, shape, leads, func(frame []float32) bool { return yield(frame, nil) }); err != nil {
			yield(nil, fmt.Errorf("poseidon: rollout: %w", err))
		}
	}
}

func (e *Emulator) rollout(ctx context.Context, x []float32, shape []int, leads []float32, yield func([]float32) bool) error {
	if e.step == nil {
		return errors.New("expected an emulator of NewEmulator, got a zero one")
	}
	if err := e.check(x, shape, len(leads)); err != nil {
		return err
	}
	release, err := e.weights.Use()
	if err != nil {
		return err
	}
	defer release()
	frame := tensors.FromFlatDataAndDimensions(slices.Clone(x), shape...)
	defer func() { frame.FinalizeAll() }()
	for _, lead := range leads {
		if err := ctx.Err(); err != nil {
			return err
		}
		y, next, err := e.next(frame, lead)
		if err != nil {
			return err
		}
		frame.FinalizeAll()
		frame = next
		if !yield(y) {
			return nil
		}
	}
	return nil
}

// next runs the program.
func (e *Emulator) next(frame *tensors.Tensor, lead float32) (y []float32, next *tensors.Tensor, err error) {
	time := tensors.FromValue(slices.Repeat([]float32{lead}, frame.Shape().Dim(0)))
	defer time.FinalizeAll()
	var list inputs.List
	list.Add("x", frame)
	list.Add("time", time)
	return e.weights.Run(e.step, list)
}

func (e *Emulator) check(x []float32, shape []int, steps int) error {
	c := e.config
	if len(shape) != 4 {
		return fmt.Errorf("expected frames [batch, channels, height, width], got shape %v", shape)
	}
	if n, err := safetensors.Elements(shape); err != nil || n != len(x) || n == 0 {
		return fmt.Errorf("expected as many values as shape %v has, at least one, got %d", shape, len(x))
	}
	if err := c.CheckGrid(shape[2:]); err != nil {
		return err
	}
	if shape[1] != c.InChannels {
		return fmt.Errorf("expected %d channels, got %d; Weights.WithChannels makes a network for other channels, which needs finetuning", c.InChannels, shape[1])
	}
	if c.OutChannels > c.InChannels && steps > 1 {
		return fmt.Errorf("expected one step from a network with %d input and %d output channels, got %d", c.InChannels, c.OutChannels, steps)
	}
	return nil
}
