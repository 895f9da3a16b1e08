package mpp

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// TimeBlock is attention over time. Each token attends to the tokens at its position in all
// frames, earlier and later,
//
//	z = InstanceNorm(x)·Wᵀ + b,  z per head = q | k | v
//	a = softmax(LayerNorm(q)·LayerNorm(k)ᵀ/√K + bias)·v
//	y = x + γ·(InstanceNorm(a)·Woᵀ + bo)
type TimeBlock struct{ Attention }

// TimeBlockWeights holds the parameters of a TimeBlock as graph nodes.
type TimeBlockWeights struct {
	Gamma        *Node // [E]
	Norm1, Norm2 NormWeights
	AttentionWeights
}

// layerScale is the initial value of the factors γ of all branches.
var layerScale = layers.Init{Constant: 1e-6}

// Weights gets every parameter from v, under the original's names.
func (p TimeBlock) Weights(v layers.Vars) TimeBlockWeights {
	var w TimeBlockWeights
	w.Gamma = v.Var("gamma", layerScale, p.Channels)
	w.Norm1, w.Norm2 = normWeights(v.In("norm1"), p.Channels), normWeights(v.In("norm2"), p.Channels)
	w.AttentionWeights = p.weights(v)
	return w
}

// Apply returns y for x [B, T, h, w, E]. keep [T] holds the drop-path factor of each time
// step or is nil.
func (p TimeBlock) Apply(x *Node, w TimeBlockWeights, keep *Node) *Node {
	return p.apply(x, w, keep, nil)
}

// apply is Apply, which also calls tap, unless it is nil, with intermediate results.
func (p TimeBlock) apply(x *Node, w TimeBlockWeights, keep *Node, tap tap) *Node {
	assertDims("TimeBlock x", x, -1, -1, -1, -1, p.Channels)
	d := x.Shape().Dimensions
	frames := func(x *Node) *Node { return Reshape(x, d[0]*d[1], d[2], d[3], d[4]) }
	xn := tap.see("norm1", InstanceNorm(frames(x), w.Norm1))
	q, k, v := p.project(xn, w.AttentionWeights)
	perSample := func(x *Node) *Node { return Reshape(x, d[0], d[1], d[2]*d[3], p.Heads, -1) }
	att := attendAlong(1, perSample(q), perSample(k), perSample(v), w.Bias.Bias(d[1], false))
	att = tap.see("norm2", InstanceNorm(frames(att), w.Norm2))
	out := Mul(p.output(att, w.AttentionWeights), ExpandLeftToRank(w.Gamma, 4))
	out = Reshape(out, d...)
	if keep != nil {
		assertDims("TimeBlock keep", keep, d[1])
		out = Mul(out, Reshape(keep, 1, d[1], 1, 1, 1))
	}
	return Add(x, out)
}
