package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Block is one layer of the processor: time mixing, then space mixing (docs/reference.md
// §7; the paper's text has space first, its figure and the release have time first).
type Block struct {
	Time  TimeAttention
	Space ParallelAttention
}

// BlockWeights holds the parameters of a Block.
type BlockWeights struct {
	Time  TimeAttentionWeights
	Space ParallelAttentionWeights
}

// Weights gets every parameter from v, those of space mixing first as in the release's
// state dict.
func (b Block) Weights(v Vars) BlockWeights {
	space := b.Space.Weights(v.In("space_mixing"))
	return BlockWeights{Time: b.Time.Weights(v.In("time_mixing")), Space: space}
}

// Apply returns the block's output for tokens x [T, B, S, C] of a grid of S = H·W·D tokens.
// roll is the accumulated latent roll [3] or nil; keepTime [T] and keepSpace [T·B] are
// drop-path factors or nil.
func (b Block) Apply(x *Node, w BlockWeights, grid [3]int, roll, keepTime, keepSpace *Node) *Node {
	d := x.Shape().Dimensions
	x = b.Time.Apply(x, w.Time, keepTime)
	y := b.Space.Apply(Reshape(x, d[0]*d[1], d[2], d[3]), w.Space, grid, roll, keepSpace)
	return Reshape(y, d...)
}
