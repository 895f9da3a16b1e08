package mpp

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// SpaceBlock is axial attention over space, followed by an MLP whose norm comes last. Each
// token attends to the tokens of its row and, with the same queries, keys and values, to
// those of its column,
//
//	z = RMSInstanceNorm(x)·Wᵀ + b,  z per head = q | k | v
//	a = (attention along W + attention along H)/2
//	x = x + γ₁·(RMSInstanceNorm(a)·Woᵀ + bo)
//	y = x + γ₂·RMSInstanceNorm(W₂·GELU(W₁·x + b₁) + b₂)
type SpaceBlock struct{ Attention }

// SpaceBlockWeights holds the parameters of a SpaceBlock as graph nodes.
type SpaceBlockWeights struct {
	GammaAttention, GammaMLP *Node // [E]
	Norm1, Norm2, MLPNorm    *Node // [E]
	AttentionWeights
	FC1, FC1Bias *Node // [4E, E], [4E]
	FC2, FC2Bias *Node // [E, 4E], [E]
}

// Weights gets every parameter from v, under the original's names.
func (p SpaceBlock) Weights(v layers.Vars) SpaceBlockWeights {
	e := p.Channels
	var w SpaceBlockWeights
	w.GammaAttention, w.GammaMLP = v.Var("gamma_att", layerScale, e), v.Var("gamma_mlp", layerScale, e)
	w.Norm1, w.Norm2 = rmsWeight(v.In("norm1"), e), rmsWeight(v.In("norm2"), e)
	w.AttentionWeights = p.weights(v)
	mlp := v.In("mlp")
	w.FC1, w.FC1Bias = mlp.In("fc1").Var("weight", layers.FanIn(e), 4*e, e), mlp.In("fc1").Var("bias", layers.FanIn(e), 4*e)
	w.FC2, w.FC2Bias = mlp.In("fc2").Var("weight", layers.FanIn(4*e), e, 4*e), mlp.In("fc2").Var("bias", layers.FanIn(4*e), e)
	w.MLPNorm = rmsWeight(v.In("mlp_norm"), e)
	return w
}

// Apply returns y for tokens x [F, h, w, E]. periodic says which of the axes H and W are
// periodic. keepAttention and keepMLP [F] hold the drop-path factors of each frame for the
// two branches or are nil.
func (p SpaceBlock) Apply(x *Node, w SpaceBlockWeights, periodic [2]bool, keepAttention, keepMLP *Node) *Node {
	return p.apply(x, w, periodic, keepAttention, keepMLP, nil)
}

// apply is Apply, which also calls tap, unless it is nil, with intermediate results.
func (p SpaceBlock) apply(x *Node, w SpaceBlockWeights, periodic [2]bool, keepAttention, keepMLP *Node, tap tap) *Node {
	assertDims("SpaceBlock x", x, -1, -1, -1, p.Channels)
	scaled := func(branch, gamma, keep *Node) *Node {
		return layers.DropPath(Mul(branch, ExpandLeftToRank(gamma, 4)), keep)
	}
	xn := tap.see("norm1", RMSInstanceNorm(x, w.Norm1))
	att := tap.see("norm2", RMSInstanceNorm(p.attend(xn, w, periodic), w.Norm2))
	x = Add(x, scaled(p.output(att, w.AttentionWeights), w.GammaAttention, keepAttention))
	mlp := layers.Dense(layers.GELU(layers.Dense(x, w.FC1, w.FC1Bias)), w.FC2, w.FC2Bias)
	mlp = tap.see("mlp_norm", RMSInstanceNorm(mlp, w.MLPNorm))
	return Add(x, scaled(mlp, w.GammaMLP, keepMLP))
}

// attend returns the mean of attention along W and along H for normalised tokens xn [F, h,
// w, E].
func (p SpaceBlock) attend(xn *Node, w SpaceBlockWeights, periodic [2]bool) *Node {
	q, k, v := p.project(xn, w.AttentionWeights)
	along := func(axis int) *Node {
		bias := w.Bias.Bias(xn.Shape().Dim(1+axis), periodic[axis])
		return attendAlong(1+axis, q, k, v, bias)
	}
	return MulScalar(Add(along(1), along(0)), 0.5)
}
