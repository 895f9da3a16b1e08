package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// TimeAttention is the time mixing of a block (paper §3.1): each token attends over the
// time steps at its position, with a relative position bias,
//
//	z = RMSGroupNorm(x)·Wᵀ + b,  z per head = q | k | v
//	y = x + softmax(LayerNorm(q)·LayerNorm(k)ᵀ/√K + bias)·v·Woᵀ + bo
type TimeAttention struct {
	Channels, Heads int
	// Acausal lets a step attend to later steps. The release is causal.
	Acausal bool
	// NoBias omits the relative bias. Such a layer is always causal, as in the release.
	NoBias bool
	Norm   NormConfig
	// RecomputeCheap and InRecomputation have the meaning of those in [ParallelAttention].
	RecomputeCheap, InRecomputation bool
}

// TimeAttentionWeights holds the parameters of a TimeAttention as graph nodes. The
// projections are 1×1×1 convolutions in the reference, hence the trailing axes.
type TimeAttentionWeights struct {
	Norm             *Node // [C]
	Input, InputBias *Node // [3C, C, 1, 1, 1], [3C]: for each head q | k | v
	Out, OutBias     *Node // [C, C, 1, 1, 1], [C]
	QNorm, QNormBias *Node // [K]
	KNorm, KNormBias *Node // [K]
	Bias             *Node // [32, N], nil with NoBias
}

// Weights gets every parameter from v, under the release's names.
func (p TimeAttention) Weights(v Vars) TimeAttentionWeights {
	c := p.Channels
	must(p.Heads > 0 && c%p.Heads == 0, "TimeAttention: %d heads do not divide %d channels", p.Heads, c)
	k := c / p.Heads
	var w TimeAttentionWeights
	w.Norm = normWeight(v.In("norm1"), c)
	w.Input = v.In("input_head").Var("weight", FanIn(c), 3*c, c, 1, 1, 1)
	w.InputBias = v.In("input_head").Var("bias", FanIn(c), 3*c)
	w.Out = v.In("output_head").Var("weight", residualWeight(c), c, c, 1, 1, 1)
	w.OutBias = v.In("output_head").Var("bias", residualBias(c), c)
	w.QNorm, w.QNormBias = v.In("qnorm").Var("weight", One, k), v.In("qnorm").Var("bias", Zero, k)
	w.KNorm, w.KNormBias = v.In("knorm").Var("weight", One, k), v.In("knorm").Var("bias", Zero, k)
	if !p.NoBias {
		w.Bias = relativeTable(v, p.Heads)
	}
	return w
}

// Apply returns y for x [T, B, S, C]. keep [T] holds the drop-path factor of each time step
// or is nil.
func (p TimeAttention) Apply(x *Node, w TimeAttentionWeights, keep *Node) *Node {
	assertDims("TimeAttention x", x, -1, -1, -1, p.Channels)
	return SwapFirst(p.ApplyBatchFirst(SwapFirst(x), w, keep))
}

// ApplyBatchFirst is Apply for x [B, T, S, C]. In this layout the frames of a sample are
// contiguous, and a batch that is sharded over devices stays sharded through all reshapes.
func (p TimeAttention) ApplyBatchFirst(x *Node, w TimeAttentionWeights, keep *Node) *Node {
	c := p.Channels
	assertDims("TimeAttention x", x, -1, -1, -1, c)
	d := x.Shape().Dimensions
	b, t, s := d[0], d[1], d[2]
	if form.OnGo(x.Graph()) && !p.Acausal && t <= framesLimit {
		return p.framesApart(x, w, keep)
	}
	qkv := p.project(p.RecomputeCheap, RMSGroupNorm(Reshape(x, b*t, s, c), w.Norm, p.Norm), w, 0, 1, 2)
	perHead := func(z *Node) *Node {
		z = TransposeAllDims(Reshape(z, b, t, s, p.Heads, -1), 0, 2, 3, 1, 4)
		return Reshape(z, b*s, p.Heads, t, -1)
	}
	merged := func(z *Node) *Node {
		return TransposeAllDims(Reshape(z, b, s, p.Heads, t, -1), 0, 3, 1, 2, 4)
	}
	scale := 1 / sqrt(float64(c/p.Heads))
	q := headNorm(perHead(qkv[0]), MulScalar(w.QNorm, scale), MulScalar(w.QNormBias, scale))
	k := headNorm(perHead(qkv[1]), w.KNorm, w.KNormBias)
	v, bias := perHead(qkv[2]), ExpandAxes(p.bias(t, w), 0)
	var att *Node
	if p.RecomputeCheap || p.InRecomputation {
		att = form.Kept(true, attend.Attend(q, k, v, bias, attend.Layout{Samples: b, Shape: []int{b, t, s, p.Heads, c / p.Heads}, Merged: merged, PerHead: perHead}))
	} else {
		att = merged(attend.SoftmaxDot(q, k, v, bias))
	}
	out := Dense(Reshape(att, d...), Reshape(w.Out, c, c), w.OutBias)
	if keep != nil {
		assertDims("DropPath keep", keep, t)
		out = Mul(out, Reshape(keep, 1, t, 1, 1))
	}
	return Add(x, out)
}

// bias returns the relative bias [N, T, T] or, with NoBias, only the causal mask [1, T, T].
func (p TimeAttention) bias(t int, w TimeAttentionWeights) *Node {
	if p.NoBias {
		return RelativeBias(Zeros(w.Out.Graph(), shapes.Make(w.Out.DType(), RelativeBuckets, 1)), t, true)
	}
	return RelativeBias(w.Bias, t, !p.Acausal)
}

// project returns the projections in which: 0 for q, 1 for k, 2 for v, each [F, S, C] with
// channels ordered by head. The reference orders the channels by head first and by q, k, v
// second.
func (p TimeAttention) project(lean bool, xn *Node, w TimeAttentionWeights, which ...int) []*Node {
	c := p.Channels
	assertDims("input_head weight", w.Input, 3*c, c, 1, 1, 1)
	part := func(t *Node, i int, dims ...int) *Node {
		t = Reshape(t, append([]int{p.Heads, 3, c / p.Heads}, dims...)...)
		return Reshape(SliceAxis(t, 1, AxisElem(i)), append([]int{c}, dims...)...)
	}
	input := form.After(xn, w.Input)
	var weights, biases []*Node
	for _, i := range which {
		weights = append(weights, part(input, i, c))
		biases = append(biases, part(w.InputBias, i))
	}
	return splitDense(lean, xn, weights, biases)
}

// TimeAttentionBuilder builds a TimeAttention with variables in a scope.
type TimeAttentionBuilder struct {
	scope *model.Scope
	x     *Node
	cfg   TimeAttention
	keep  *Node
}

// NewCausalTimeAttention returns a builder of the time mixing of x [T, B, S, C] with N
// heads.
func NewCausalTimeAttention(scope *model.Scope, x *Node, heads int) *TimeAttentionBuilder {
	return &TimeAttentionBuilder{scope: scope, x: x,
		cfg: TimeAttention{Channels: x.Shape().Dim(-1), Heads: heads}}
}

// Causal sets whether a step attends only to itself and earlier steps (the default).
func (b *TimeAttentionBuilder) Causal(c bool) *TimeAttentionBuilder { b.cfg.Acausal = !c; return b }

// Norm sets the form of the norm. The default is the release's.
func (b *TimeAttentionBuilder) Norm(cfg NormConfig) *TimeAttentionBuilder { b.cfg.Norm = cfg; return b }

// DropPath multiplies the residual branch of each time step by keep [T].
func (b *TimeAttentionBuilder) DropPath(keep *Node) *TimeAttentionBuilder { b.keep = keep; return b }

// Done creates the variables and returns y [T, B, S, C].
func (b *TimeAttentionBuilder) Done() *Node {
	return b.cfg.Apply(b.x, b.cfg.Weights(ScopeVars(b.scope, b.x.Graph())), b.keep)
}

// framesLimit is the longest history whose attention the Go backend computes frame by
// frame. The number of pairs of frames is quadratic in the history.
const framesLimit = 8
