package main

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// LinearAttention is a custom space mixing: attention whose cost is linear in the
// number S of tokens, not quadratic (Katharopoulos et al. 2020, arXiv 2006.16236),
//
//	q | k | v = RMSGroupNorm(x)·Wᵀ
//	y_i = x_i + Wo·(φ(q_i)·Σ_j φ(k_j)v_jᵀ) / (φ(q_i)·Σ_j φ(k_j) + eps)
//	φ(a) = eᵃ below 0, 1+a above
//
// with the sums over all tokens of a frame, for each head separately. It has no
// positions: a permutation of the tokens permutes the result.
type LinearAttention struct {
	// Channels C, Heads N; K = C/N is the head width.
	Channels, Heads int
}

// eps keeps the quotient finite if all φ are almost 0.
const eps = 1e-6

// LinearAttentionWeights are the parameters, as nodes.
type LinearAttentionWeights struct {
	Norm *Node // [C]
	QKV  *Node // [3C, C]: rows q | k | v
	Out  *Node // [C, C]
}

// Weights requests every parameter from v. Out starts at 0, so that a fresh layer
// returns its input.
func (l LinearAttention) Weights(v layers.Vars) LinearAttentionWeights {
	c := l.Channels
	if l.Heads < 1 || c%l.Heads != 0 {
		panic(fmt.Errorf("LinearAttention: %d heads do not divide %d channels", l.Heads, c))
	}
	return LinearAttentionWeights{
		Norm: v.In("norm").Var("weight", layers.One, c),
		QKV:  v.In("qkv").Var("weight", layers.FanIn(c), 3*c, c),
		Out:  v.In("out").Var("weight", layers.Zero, c, c),
	}
}

// Apply returns y for tokens x [F, S, C].
func (l LinearAttention) Apply(x *Node, w LinearAttentionWeights) *Node {
	x.AssertDims(-1, -1, l.Channels)
	f, s := x.Shape().Dim(0), x.Shape().Dim(1)
	qkv := layers.Dense(layers.RMSGroupNorm(x, w.Norm, layers.NormConfig{}), w.QKV, nil)
	part := func(i int) *Node {
		p := SliceAxis(qkv, -1, AxisRange(i*l.Channels, (i+1)*l.Channels))
		return Reshape(p, f, s, l.Heads, -1)
	}
	q, k, v := positive(part(0)), positive(part(1)), part(2)
	state := Einsum("fsnk,fsnm->fnkm", k, v) // Σ φ(k)vᵀ
	total := Einsum("fsnk,fnk->fsn", q, ReduceSum(k, 1))
	y := Div(Einsum("fsnk,fnkm->fsnm", q, state), ExpandAxes(AddScalar(total, eps), -1))
	return Add(x, layers.Dense(Reshape(y, f, s, l.Channels), w.Out, nil))
}

// positive is φ. The exponential is computed of no positive number, so that the values
// which Where discards, and their gradients, stay finite.
func positive(x *Node) *Node {
	zero := ZerosLike(x)
	return Where(GreaterThan(x, zero), OnePlus(x), Exp(Min(x, zero)))
}
