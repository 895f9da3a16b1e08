package walrus

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
)

// Model builds the graph of a network. It holds no weights and may be shared between
// goroutines.
type Model struct {
	config Config
}

// NewModel returns the model of a configuration, or an error if the configuration is not
// valid.
func NewModel(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Model{config: c}, nil
}

// Config returns the configuration.
func (m *Model) Config() Config { return m.config }

// Plan returns strides, padding and tokens for a grid of one to three axes. An axis of
// several points must have several tokens, because the decoder, like the release's, takes
// an axis of one token for an axis of length 1. A grid that the network cannot take is a
// [*csm.GridError].
func (m *Model) Plan(grid []int, bcs data.Boundaries) (*csm.Plan, error) {
	c := m.config
	var targets [3]int
	for i := range targets {
		targets[i] = c.TokenTarget(i + 1)
	}
	axes := 0
	for _, n := range grid {
		if n > 1 {
			axes++
		}
	}
	plan, err := csm.NewPlan(grid, bcs, csm.Options{Tokens: targets, Kernel: c.Kernel, NoJitter: c.Jitter == JitterOff, Strides: c.TrainedStrides(axes)})
	if err != nil {
		return nil, fmt.Errorf("walrus: %w", err)
	}
	if _, err := m.dimensionality(plan); err != nil {
		return nil, &csm.GridError{Grid: grid, Axis: -1, Err: err}
	}
	for i, a := range plan.Axes {
		if a.Length > 1 && a.Tokens == 1 {
			return nil, refuse(grid, i, "axis %d has %d points, which make one token: expected at least two (use more points, or a network with a larger token target)", i, a.Length)
		}
	}
	if tokens := plan.TokenGrid(); len(c.APE) == 3 && tokens != [3]int(c.APE) {
		return nil, refuse(grid, -1, "the absolute position embedding has the token grid %v, the input %v", c.APE, tokens)
	}
	return plan, nil
}

// refuse returns the error of a grid, or of one of its axes, that the network cannot take.
func refuse(grid []int, axis int, format string, args ...any) error {
	return &csm.GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("walrus: "+format, args...)}
}

// Jitterer returns the jitterer of the network for a plan.
func (m *Model) Jitterer(plan *csm.Plan) jitter.Jitterer {
	return jitter.Jitterer{Plan: plan, Mode: m.config.Jitter}
}

// Inputs are the tensors of one forward pass other than the weights.
type Inputs struct {
	// X is [T, B, C, H, W, D], normalised.
	X *Node
	// IDs [C] (int32) are the registry indices of the channels.
	IDs *Node
	// Shift [3] (int32) is the jitter of this pass, or [B, 3] the jitter of each sample;
	// nil means no shift.
	Shift *Node
	// Rolls [Blocks, 3] (int32) are the accumulated latent rolls
	// ([jitter.AccumulateRolls]), or [Blocks, B, 3] those of each sample; nil means no
	// rolls.
	Rolls *Node
	// KeepTime [Blocks, T] and KeepSpace [Blocks, T·B] are the drop-path
	// factors of training; nil means no drop path.
	KeepTime, KeepSpace *Node
	// Recompute makes the backward pass of training recompute cheap activations (RecomputeCheap of
	// [layers.ParallelAttention]) and all activations of the blocks that
	// [Config.Checkpointed] reports, instead of keeping them.
	Recompute bool
	// Backward is Recompute for a single step, which has memory for the cheap activations of
	// its blocks: the backward pass recomputes only the blocks that [Config.Checkpointed]
	// reports.
	Backward bool
	// LastOnly returns only the prediction of the last step and omits computations that
	// do not contribute to it. Networks that are not causal always do this.
	LastOnly bool
}

// taps receives intermediate results of a forward pass. Tokens are [F, h, w, d, C],
// F = T·B, at the positions of their patches: latent rolls are undone.
type taps struct {
	Jittered, Encoded, Decoded *Node
	Blocks                     []*Node
}

// Forward returns the network's output, one prediction per input channel and step:
// [T, B, C, H, W, D] or, with LastOnly, [1, B, C, H, W, D] (docs/reference.md §2).
func (m *Model) Forward(w ModelWeights, in Inputs, plan *csm.Plan) *Node {
	return m.forward(w, in, plan, nil)
}

// forward is Forward, but also fills taps unless it is nil.
func (m *Model) forward(w ModelWeights, in Inputs, plan *csm.Plan, taps *taps) *Node {
	steps, batch := in.X.Shape().Dim(0), in.X.Shape().Dim(1)
	x, decode := m.tapEnds(w, in, plan, taps)
	return decode(m.blocks(Reshape(x, batch, steps, plan.Tokens(), -1), w, in, plan.TokenGrid(), taps))
}

// ends encodes the input to tokens [B·T, h, w, d, C] and returns the decoder: a function
// from tokens [B, T, S, C] to the output [T, B, C, H, W, D].
func (m *Model) ends(w ModelWeights, in Inputs, plan *csm.Plan) (x *Node, decode func(x *Node) *Node) {
	return m.tapEnds(w, in, plan, nil)
}

func (m *Model) tapEnds(w ModelWeights, in Inputs, plan *csm.Plan, taps *taps) (x *Node, decode func(x *Node) *Node) {
	dim, err := m.dimensionality(plan)
	if err != nil {
		panic(err)
	}
	g, batch := in.X.Graph(), in.X.Shape().Dim(1)
	shift := in.Shift
	if shift == nil {
		shift = Const(g, []int32{0, 0, 0})
	}
	jit, grid := m.Jitterer(plan), plan.TokenGrid()
	jittered := jit.Apply(layers.SwapFirst(in.X), shift)
	flags := Const(g, []int32{2, 0, 1}) // bias correction, closed, open
	x = m.hmlp().Encode(jittered, w.Embed[dim], Concatenate([]*Node{in.IDs, flags}, 0), w.FieldScale, plan)
	if taps != nil {
		taps.Jittered, taps.Encoded = timeFirst(jittered, batch), timeFirst(x, batch)
	}
	if w.APE != nil {
		x = Add(x, Reshape(TransposeAllDims(w.APE, 0, 1, 3, 4, 5, 2), append([]int{1}, x.Shape().Dimensions[1:]...)...))
	}
	return x, func(x *Node) *Node {
		steps := x.Shape().Dim(1)
		y := m.hmlp().Decode(Reshape(x, batch*steps, grid[0], grid[1], grid[2], -1), m.decoderWeights(w, dim, x), in.IDs, plan)
		if taps != nil {
			taps.Decoded = timeFirst(y, batch)
		}
		return layers.SwapFirst(jit.Invert(y, shift, batch, steps))
	}
}

// blocks applies the processor's blocks to tokens x [B, T, S, C]. With LastOnly the last
// block computes the last step alone. Inside the network samples are the first axis, so
// that a batch can be sharded over devices.
func (m *Model) blocks(x *Node, w ModelWeights, in Inputs, grid [3]int, taps *taps) *Node {
	block := m.block()
	last := in.LastOnly || !m.config.Causal
	for i := range w.Blocks {
		bw := m.blockWeights(w, i, x)
		recompute := (in.Recompute || in.Backward) && m.config.Checkpointed(i)
		if recompute {
			x = x.Checkpoint()
		}
		lean, kept := in.Recompute && !recompute, recompute || in.Backward
		block.Time.RecomputeCheap, block.Time.InRecomputation, block.Space.RecomputeCheap, block.Space.InRecomputation = lean, kept, lean, kept
		mix := block.Time.ApplyBatchFirst
		if i == len(w.Blocks)-1 && last {
			mix = block.Time.ApplyLast
		}
		x = mix(x, bw.Time, row(in.KeepTime, i))
		d := x.Shape().Dimensions
		keep := keepSpace(row(in.KeepSpace, i), d[0], d[1])
		block.Space.Samples = d[0]
		y := block.Space.Apply(Reshape(x, d[0]*d[1], d[2], d[3]), bw.Space, grid, row(in.Rolls, i), keep)
		x = Reshape(y, d...)
		if recompute {
			x = x.StopCheckpoint()
		}
		if taps != nil {
			taps.Blocks = append(taps.Blocks, timeFirst(Reshape(x, d[0]*d[1], grid[0], grid[1], grid[2], d[3]), d[0]))
		}
	}
	return x
}

// row returns row i of a table, or nil if the table is nil.
func row(t *Node, i int) *Node {
	if t == nil {
		return nil
	}
	return Squeeze(SliceAxis(t, 0, AxisElem(i)), 0)
}

// keepSpace selects the drop-path factors of the last steps from keep [T·B] and reorders
// them to [B·steps], the order of the frames inside the network.
func keepSpace(keep *Node, batch, steps int) *Node {
	if keep == nil {
		return nil
	}
	keep = SliceAxis(Reshape(keep, -1, batch), 0, AxisRange(-steps))
	return Reshape(layers.SwapFirst(keep), batch*steps)
}

// timeFirst reorders frames from [B·T, …] to [T·B, …], the order of taps.
func timeFirst(x *Node, batch int) *Node {
	d := x.Shape().Clone().Dimensions
	y := layers.SwapFirst(Reshape(x, append([]int{batch, d[0] / batch}, d[1:]...)...))
	return Reshape(y, d...)
}

// Build is Forward with the parameters from vars: with [layers.ScopeVars] they
// are variables of a gomlx scope, for training loops that keep their weights in
// a gomlx store.
func (m *Model) Build(vars layers.Vars, in Inputs, plan *csm.Plan) *Node {
	return m.Forward(m.WeightsFor(vars, plan), in, plan)
}
