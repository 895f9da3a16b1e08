package csm

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// DecoderWeights holds the parameters of the decoder as graph nodes.
type DecoderWeights struct {
	Proj1, Norm1 *Node // [Hidden, Inner, k2, k2, k2], [Inner]
	Proj2, Bias2 *Node // [Inner, States, k1, k1, k1], [States]
}

// DecoderWeights gets every parameter of the decoder from v. As in the reference, the
// initial bound of a transposed convolution counts its output channels as fan-in.
func (h HMLP) DecoderWeights(v layers.Vars) DecoderWeights {
	k1, k2 := h.kernel()
	return DecoderWeights{
		Proj1: v.In("proj1").Var("weight", layers.FanIn(h.Inner*k2*k2*k2), h.Hidden, h.Inner, k2, k2, k2),
		Norm1: v.In("norm1").Var("weight", layers.One, h.Inner),
		Proj2: v.In("proj2").Var("weight", layers.FanIn(h.States*k1*k1*k1), h.Inner, h.States, k1, k1, k1),
		Bias2: v.In("proj2").Var("bias", layers.FanIn(h.States*k1*k1*k1), h.States),
	}
}

// decoderTrace holds the decoded fields and the intermediate results, all channels last.
type decoderTrace struct {
	Conv1, Norm1, Fields *Node
}

// Decode decodes tokens [F, h, w, d, Hidden] to padded fields [F, H', W', D', C] for the
// registry indices ids [C] (int32). The result has no boundary channels.
func (h HMLP) Decode(tokens *Node, w DecoderWeights, ids *Node, plan *Plan) *Node {
	return h.traceDecode(tokens, w, ids, plan).Fields
}

// traceDecode is Decode with the intermediate results.
func (h HMLP) traceDecode(tokens *Node, w DecoderWeights, ids *Node, plan *Plan) decoderTrace {
	grid := plan.TokenGrid()
	tokens.AssertDims(-1, grid[0], grid[1], grid[2], h.Hidden)
	s1, s2 := plan.strides()
	var periodic [3]bool
	for i, a := range plan.Axes {
		periodic[i] = a.PeriodicTokens
	}
	w2, b2 := layers.SelectColumns(w.Proj2, ids, 1), layers.SelectColumns(w.Bias2, ids, 0)
	var t decoderTrace
	t.Conv1 = layers.PatchConvTranspose(tokens, w.Proj1, nil, s2, periodic)
	t.Norm1 = layers.RMSGroupNorm(t.Conv1, w.Norm1, h.Norm)
	t.Fields = layers.PatchConvTranspose(layers.SiLU(t.Norm1), w2, b2, s1, periodic)
	return t
}
