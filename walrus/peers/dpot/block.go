package dpot

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/fourier"
)

// Block is one layer of the network, with one residual connection around it:
//
//	y = x + MLP(GroupNorm(AFNO(GroupNorm(x))))
//
// Both norms have eight groups, and the MLP is two dense layers on each token.
type Block struct {
	AFNO AFNO
	// MLP is the width inside the MLP.
	MLP int
	// Activation is the nonlinearity of the MLP.
	Activation Activation
}

// Affine holds the weight and the bias of a norm or of a dense layer.
type Affine struct{ Weight, Bias *Node }

// BlockWeights holds the parameters of a Block.
type BlockWeights struct {
	Norm1, Norm2 Affine
	Filter       AFNOWeights
	In, Out      Affine // of the MLP, [MLP, E, 1…] and [E, MLP, 1…]
}

// Weights gets the parameters from v, under the original's names and in its order.
func (b Block) Weights(v layers.Vars) BlockWeights {
	e, axes := b.AFNO.Channels, len(b.AFNO.Modes)
	w := BlockWeights{Norm1: normWeights(v.In("norm1"), e), Filter: b.AFNO.Weights(v.In("filter"))}
	w.Norm2 = normWeights(v.In("norm2"), e)
	w.In = pointwise(v.In("mlp").In("0"), b.MLP, e, axes)
	w.Out = pointwise(v.In("mlp").In("2"), e, b.MLP, axes)
	return w
}

// Apply returns the block's output for tokens x [B, n…, E].
func (b Block) Apply(x *Node, w BlockWeights) *Node {
	assertRank("block x [B, n…, E]", x, len(b.AFNO.Modes)+2)
	return b.apply(x, w, b.AFNO.transform(x), nil)
}

// apply is Apply with the transforms for x. It passes intermediate results to tap unless
// it is nil.
func (b Block) apply(x *Node, w BlockWeights, f fourier.Transform, tap func(name string, x *Node)) *Node {
	if tap == nil {
		tap = func(string, *Node) {}
	}
	y := layers.GroupNorm(x, w.Norm1.Weight, w.Norm1.Bias, normGroups)
	tap("norm1", y)
	y = b.AFNO.apply(y, w.Filter, f)
	tap("filter", y)
	y = layers.GroupNorm(y, w.Norm2.Weight, w.Norm2.Bias, normGroups)
	tap("norm2", y)
	y = b.Activation.apply(w.In.dense(y))
	return Add(w.Out.dense(y), x)
}

// dense applies a dense layer over the last axis of x. The weight may be that of a
// convolution with a kernel of one point, [out, in, 1…].
func (a Affine) dense(x *Node) *Node {
	weight := a.Weight
	if weight.Rank() > 2 {
		weight = Reshape(weight, weight.Shape().Dim(0), weight.Shape().Dim(1))
	}
	return layers.Dense(x, weight, a.Bias)
}

func normWeights(v layers.Vars, channels int) Affine {
	return Affine{v.Var("weight", layers.One, channels), v.Var("bias", layers.Zero, channels)}
}

// pointwise gets the parameters of a convolution with a kernel of one point, which in the
// state dict has the given number of kernel axes.
func pointwise(v layers.Vars, out, in, axes int) Affine {
	return kernelWeights(v, out, []int{out, in}, axes, 1)
}

// kernelWeights gets a kernel with the given leading dimensions and axes of length k, and
// its bias [bias]. Initial values are torch's: the fan-in counts the second dimension.
func kernelWeights(v layers.Vars, bias int, lead []int, axes, k int) Affine {
	fan := lead[1]
	dims := append([]int(nil), lead...)
	for range axes {
		dims = append(dims, k)
		fan *= k
	}
	init := layers.FanIn(fan)
	return Affine{v.Var("weight", init, dims...), v.Var("bias", init, bias)}
}
