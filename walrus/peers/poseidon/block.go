package poseidon

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// Block is one layer of encoder or decoder. Its norms follow the branches (SwinV2's
// "res-post-norm"):
//
//	h = x + Norm(WindowAttention(x))
//	y = h + Norm(W2·GELU(W1·h + b1) + b2)
type Block struct {
	Attention WindowAttention
	// Shift is the shift of the windows.
	Shift int
	// MLP is the width inside the MLP.
	MLP  int
	Norm Norm
}

// BlockWeights holds the parameters of a Block.
type BlockWeights struct {
	Attention     WindowAttentionWeights
	Before, After NormWeights // of the attention and of the MLP
	In, InBias    *Node       // [MLP, D], [MLP]
	Out, OutBias  *Node       // [D, MLP], [D]
}

// Weights gets every parameter from v.
func (b Block) Weights(v layers.Vars) BlockWeights {
	d := b.Attention.Channels
	var w BlockWeights
	w.Attention = b.Attention.Weights(v.In("attention"))
	w.Before = b.Norm.Weights(v.In("layernorm_before"))
	in, out := v.In("intermediate").In("dense"), v.In("output").In("dense")
	w.In, w.InBias = in.Var("weight", initial, b.MLP, d), in.Var("bias", layers.Zero, b.MLP)
	w.Out, w.OutBias = out.Var("weight", initial, d, b.MLP), out.Var("bias", layers.Zero, d)
	w.After = b.Norm.Weights(v.In("layernorm_after"))
	return w
}

// Apply returns y for tokens x [B, h, w, D] and the lead times t [B].
func (b Block) Apply(x *Node, w BlockWeights, t *Node) *Node {
	assertDims("Block x", x, -1, -1, -1, b.Attention.Channels)
	grid := [2]int{x.Shape().Dim(1), x.Shape().Dim(2)}
	windows := Windows{Size: b.Attention.Window, Shift: b.Shift}
	mask := windows.Mask(x.Graph(), grid, x.DType())
	y := windows.Merge(b.Attention.Apply(windows.Split(x), w.Attention, mask), grid)
	x = Add(x, b.Norm.Apply(y, w.Before, t))
	y = layers.Dense(layers.GELU(layers.Dense(x, w.In, w.InBias)), w.Out, w.OutBias)
	return Add(x, b.Norm.Apply(y, w.After, t))
}
