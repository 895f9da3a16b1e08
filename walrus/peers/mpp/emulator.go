package mpp

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

// Emulator runs a network. It compiles one program for each shape of the input and each
// pair of boundary conditions, and is safe for concurrent use.
type Emulator struct {
	config  Config
	weights step.Weights
	steps   map[[2]bool]*inputs.Program // by the periodic axes
}

// NewEmulator returns an emulator of the network on the first device of a backend. It uses
// the weights without copying them, and they must not be changed while it does.
func NewEmulator(w *Weights, backend compute.Backend) (*Emulator, error) {
	if w == nil || w.TensorSet == nil || backend == nil {
		return nil, errors.New("mpp: emulator: expected weights and a backend (see package walrus/backend), got none")
	}
	m, err := NewModel(w.config)
	if err != nil {
		return nil, err
	}
	e := &Emulator{config: m.config, weights: step.NewWeights(w.TensorSet), steps: map[[2]bool]*inputs.Program{}}
	for _, periodic := range [][2]bool{{}, {true, false}, {false, true}, {true, true}} {
		e.steps[periodic], err = inputs.NewProgram(backend, func(in inputs.Nodes) []*Node { return stepGraph(m, in, periodic) })
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("mpp: emulator: %w", err)
		}
	}
	return e, nil
}

// stepGraph returns the next frame and the next window, which ends with this frame and has
// as many frames as x.
func stepGraph(m *Model, in inputs.Nodes, periodic [2]bool) []*Node {
	x := in.Get("x")
	vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in.Get(key) })
	y := m.Build(vars, Inputs{X: x, Labels: in.Get("labels"), Periodic: periodic})
	return []*Node{y, Concatenate([]*Node{SliceAxis(x, 0, AxisRange(1)), ExpandAxes(y, 0)}, 0)}
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
	for _, p := range e.steps {
		p.Close()
	}
}

// System describes the fields of a rollout.
type System struct {
	// Labels holds the column of the weights for each field, 0 to States−1; see [Fields].
	Labels []int
	// Periodic says which of the axes H and W are periodic.
	Periodic [2]bool
}

// Rollout forecasts steps frames after the window x, row major with the shape
// [T, B, C, H, W], the latest frame last. The original was trained with 16 frames, the
// Walrus paper used 6 (appendix B.3); other numbers are possible. The window keeps its
// number of frames: each forecast is appended and the oldest frame dropped. The grid is any
// that [Config.CheckGrid] accepts.
//
// Each element of the sequence is a frame [B, C, H, W], in the units of x, which are any
// units: the network normalises each field by its mean and standard deviation over the
// window.
//
// The sequence ends with an error for bad input, a failed program, or the end of ctx.
func (e *Emulator) Rollout(ctx context.Context, x []float32, shape []int, s System, steps int) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		if err := e.rollout(ctx, x, shape, s, steps, func(frame []float32) bool { return yield(frame, nil) }); err != nil {
			yield(nil, fmt.Errorf("mpp: rollout: %w", err))
		}
	}
}

func (e *Emulator) rollout(ctx context.Context, x []float32, shape []int, s System, steps int, yield func([]float32) bool) error {
	if e.steps == nil {
		return errors.New("expected an emulator of NewEmulator, got a zero one")
	}
	if err := e.check(x, shape, s, steps); err != nil {
		return err
	}
	release, err := e.weights.Use()
	if err != nil {
		return err
	}
	defer release()
	labels := make([]int32, len(s.Labels))
	for i, l := range s.Labels {
		labels[i] = int32(l)
	}
	columns := tensors.FromValue(labels)
	window := tensors.FromFlatDataAndDimensions(slices.Clone(x), shape...)
	defer func() { window.FinalizeAll(); columns.FinalizeAll() }()
	for range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		var list inputs.List
		list.Add("x", window)
		list.Add("labels", columns)
		y, next, err := e.weights.Run(e.steps[s.Periodic], list)
		if err != nil {
			return err
		}
		window.FinalizeAll()
		window = next
		if !yield(y) {
			return nil
		}
	}
	return nil
}

func (e *Emulator) check(x []float32, shape []int, s System, steps int) error {
	if steps < 1 {
		return fmt.Errorf("expected at least one step, got %d", steps)
	}
	if len(shape) != 5 {
		return fmt.Errorf("expected a window [time, batch, channels, height, width], got shape %v", shape)
	}
	if n, err := safetensors.Elements(shape); err != nil || n != len(x) || n == 0 {
		return fmt.Errorf("expected as many values as shape %v has, at least one, got %d", shape, len(x))
	}
	if err := e.config.CheckGrid(shape[3:], s.Periodic); err != nil {
		return err
	}
	if e.config.Bias == BiasContinuous && shape[0] < 2 {
		return fmt.Errorf("expected at least two frames with the continuous bias, got %d", shape[0])
	}
	if len(s.Labels) != shape[2] {
		return fmt.Errorf("expected one label for each of %d channels, got %d", shape[2], len(s.Labels))
	}
	for i, l := range s.Labels {
		if l < 0 || l >= e.config.States {
			return fmt.Errorf("label of channel %d: expected 0 to %d, got %d; Weights.Expand adds columns, which need finetuning", i, e.config.States-1, l)
		}
	}
	return nil
}
