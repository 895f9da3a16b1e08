package walrus

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
)

// StepInputs are the tensors of one step other than the weights.
type StepInputs struct {
	// History [T, B, Cv, H, W, D] holds the variable fields in physical units.
	History *Node
	// Constants [B, Cc, H, W, D] holds the constant fields, or is nil.
	Constants *Node
	// Real [Cv] is 0 for components that only pad a vector to three components, else 1.
	Real *Node
	// Solid [B, 1, H, W, D] is nonzero at points where the forecast must be 0, or is nil.
	Solid *Node
	// Stats are the statistics of a data set; nil computes those of the history.
	Stats *Stats
	// Resize is the grid of the network if it is not the grid of the fields.
	Resize Resize
	// Net holds the inputs of the network. NextFrame sets X and LastOnly.
	Net Inputs
}

// WithConstants appends the constant fields, repeated over time, to the
// channels of the history.
func WithConstants(history, constants *Node) *Node {
	if constants == nil {
		return history
	}
	d := append([]int{history.Shape().Dim(0)}, constants.Shape().Dimensions...)
	return Concatenate([]*Node{history, BroadcastToDims(ExpandAxes(constants, 0), d...)}, 2)
}

// NextFrame builds one step of emulation (docs/reference.md §9): statistics of the
// history, normalisation, network, and
//
//	u[t+1] = u[t] + y·DeltaStd
//
// for networks that predict changes; for others the next frame is the denormalised
// output. Padding components and solid points are 0. NextFrame returns [B, Cv, H, W, D]
// in physical units. plan belongs to the resized grid. in.Stats must hold the values of
// s.Statistics, which NextFrame does not read.
func (m *Model) NextFrame(w ModelWeights, in StepInputs, plan *csm.Plan, s Scaling) *Node {
	stats := in.Stats
	if stats == nil {
		own := SampleStats(WithConstants(in.History, in.Constants), s)
		stats = &own
	}
	return m.nextFrame(w, in, stats, func(net Inputs) *Node { return m.Forward(w, net, plan) })
}

// nextFrame normalises the history, calls forward, the network, and computes the next
// frame from its output. The network computes in the type of its weights.
func (m *Model) nextFrame(w ModelWeights, in StepInputs, stats *Stats, forward func(net Inputs) *Node) *Node {
	x := WithConstants(in.History, in.Constants)
	net := in.Net
	net.X, net.LastOnly = ConvertDType(in.Resize.To(stats.Normalize(x)), w.FieldScale.DType()), true
	y := ConvertDType(forward(net), x.DType())
	y = in.Resize.From(y, [3]int(x.Shape().Dimensions[3:]))
	y = SliceAxis(y, 2, AxisRange(0, in.History.Shape().Dim(2)))
	u := stats.Denormalize(y)
	if m.config.Prediction == PredictDelta {
		u = Add(SliceAxis(in.History, 0, AxisElem(-1)), stats.DenormalizeDelta(y))
	}
	u = Mul(Squeeze(u, 0), Reshape(in.Real, 1, -1, 1, 1, 1))
	if in.Solid != nil {
		u = Mul(u, ConvertDType(Equal(in.Solid, ZerosLike(in.Solid)), u.DType()))
	}
	return u
}
