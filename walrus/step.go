package walrus

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/csm"
)

// Step says how physical fields become the network's input and its output the
// next frame. The zero value is the release's pretraining recipe.
type Step struct {
	Normalization Normalization
	// Eps is the floor of sample statistics; 0 is DefaultStatEps.
	Eps    float64
	Resize Resize
}

// Validate checks the kind of normalisation and its floor.
func (s Step) Validate() error {
	if s.Normalization > NormalizeMeanStd {
		return fmt.Errorf("normalization: expected NormalizeRMS or NormalizeMeanStd, got %d", s.Normalization)
	}
	if s.Eps < 0 || math.IsNaN(s.Eps) || math.IsInf(s.Eps, 0) {
		return fmt.Errorf("eps: expected a positive number or 0 for the default, got %v", s.Eps)
	}
	return nil
}

// StepInputs are the tensors of one step besides the weights.
type StepInputs struct {
	// History [T, B, Cv, H, W, D] are the variable fields in physical units.
	History *Node
	// Constants [B, Cc, H, W, D] are the constant fields, or nil.
	Constants *Node
	// Real [Cv] is 0 for components that only pad a vector to three
	// dimensions, else 1.
	Real *Node
	// Solid [B, 1, H, W, D] is not 0 where the forecast is 0, or nil.
	Solid *Node
	// Stats are global statistics; nil computes those of the history.
	Stats *Stats
	// Net holds the inputs of the network; X and LastOnly are filled in.
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

// eps returns Eps or its default.
func (s Step) eps() float64 {
	if s.Eps == 0 {
		return DefaultStatEps
	}
	return s.Eps
}

// NextFrame builds one step of emulation (SPEC §9): statistics of the history,
// normalisation, network, and
//
//	u[t+1] = u[t] + y·DeltaStd
//
// for networks that predict changes, or the denormalised output itself. Padding
// components and solid points are 0. It returns [B, Cv, H, W, D] in physical
// units. plan is that of the resized grid.
func (m *Model) NextFrame(w ModelWeights, in StepInputs, plan *csm.Plan, s Step) *Node {
	stats := in.Stats
	if stats == nil {
		own := SampleStats(WithConstants(in.History, in.Constants), s.Normalization, s.eps())
		stats = &own
	}
	return m.nextFrame(w, in, stats, s, func(net Inputs) *Node { return m.Forward(w, net, plan) })
}

// nextFrame makes the next frame from what forward, the network, makes of the
// normalised history. The network computes in the type of its weights.
func (m *Model) nextFrame(w ModelWeights, in StepInputs, stats *Stats, s Step, forward func(net Inputs) *Node) *Node {
	x := WithConstants(in.History, in.Constants)
	net := in.Net
	net.X, net.LastOnly = ConvertDType(s.Resize.To(stats.Normalize(x)), w.FieldScale.DType()), true
	y := ConvertDType(forward(net), x.DType())
	y = s.Resize.From(y, [3]int(x.Shape().Dimensions[3:]))
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
