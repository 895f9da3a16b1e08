package walrus

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
)

// Past is the KV cache as nodes: keys and values of earlier frames.
type Past struct {
	// Frames holds the keys and values of each block and slot, the oldest frame first:
	// [Blocks][slots].
	Frames [][]layers.KeyValue
	// Buckets [slots+1] (int32) are the rows of the relative bias, and Blocked
	// [slots+1] is layers.Masked for empty slots, else 0. The last entry belongs to the
	// new frame.
	Buckets, Blocked *Node
}

// ForwardNext is Forward for one more frame X [1, B, C, H, W, D] after the frames of the
// past. It returns the last prediction of [Model.Forward] on all frames,
// [1, B, C, H, W, D], and the keys and values of the new frame, by block. Shift and Rolls
// must be those of the past.
func (m *Model) ForwardNext(w ModelWeights, in Inputs, past Past, plan *csm.Plan) (*Node, []layers.KeyValue) {
	batch := in.X.Shape().Dim(1)
	tokens, decode := m.ends(w, in, plan)
	block, grid := m.block(), plan.TokenGrid()
	x := Reshape(tokens, batch, plan.Tokens(), -1)
	own := make([]layers.KeyValue, len(w.Blocks))
	for i := range w.Blocks {
		bw := m.blockWeights(w, i, x)
		table := bw.Time.Bias
		if table == nil {
			table = Zeros(x.Graph(), layers.RelativeTableShape(x.DType(), m.config.Heads))
		}
		bias := layers.StepBias(table, past.Buckets, past.Blocked)
		x, own[i] = block.Time.ApplyNext(x, bw.Time, past.Frames[i], bias)
		x = block.Space.Apply(x, bw.Space, grid, row(in.Rolls, i), nil)
	}
	return decode(Reshape(x, batch, 1, plan.Tokens(), -1)), own
}

// NextFrameCached is [Model.NextFrame] from the past and the last frame alone, in.History
// [1, B, Cv, H, W, D]. in.Stats must not be nil. It also returns the keys and values of
// the last frame, by block.
func (m *Model) NextFrameCached(w ModelWeights, in StepInputs, past Past, plan *csm.Plan) (*Node, []layers.KeyValue) {
	var own []layers.KeyValue
	u := m.nextFrame(w, in, in.Stats, func(net Inputs) *Node {
		var y *Node
		y, own = m.ForwardNext(w, net, past, plan)
		return y
	})
	return u, own
}
