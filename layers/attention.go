package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// ParallelAttention is the space mixing of a block (paper §3.1, "parallelized attention"):
// attention over all tokens of a frame and a SwiGLU MLP in parallel, with a shared
// normalised input and a fused projection,
//
//	xn = RMSGroupNorm(x)
//	ff | q | k | v = xn·Wᵀ + b
//	q, k = RoPE(LayerNorm(q)), RoPE(LayerNorm(k))
//	y = x + softmax(q·kᵀ/√K)·v·Woᵀ + SwiGLU(ff)·Wffᵀ + bff
type ParallelAttention struct {
	// Channels is C, Heads is N. The head width is K = C/N.
	Channels, Heads int
	// MLP is the width of ff, both halves of SwiGLU together. 0 means 4·C.
	MLP  int
	RoPE RoPEMode
	Norm NormConfig
	// RecomputeCheap keeps fewer activations for the backward pass, which recomputes the cheap ones:
	// the norms and rotations of q and k, the softmax, and SwiGLU.
	RecomputeCheap bool
	// InRecomputation says that the backward pass recomputes the whole layer, or nothing of
	// it. The result of attention is kept in either case.
	InRecomputation bool
	// Samples is the number of samples of the frames, which are ordered by sample; 0 means
	// 1. A loop over frames processes frames of all samples together, because samples may
	// be sharded over devices.
	Samples int
}

// ParallelAttentionWeights holds the parameters of a ParallelAttention as graph nodes.
type ParallelAttentionWeights struct {
	Norm             *Node // [C]
	Fused, FusedBias *Node // [MLP+3C, C], [MLP+3C]: rows ff | q | k | v
	FFOut, FFOutBias *Node // [C, MLP/2], [C]
	AttnOut          *Node // [C, C]
	QNorm, QNormBias *Node // [K], shared by the heads
	KNorm, KNormBias *Node // [K]
	RoPE             AxialRoPE
}

func (p ParallelAttention) mlp() int {
	if p.MLP == 0 {
		return 4 * p.Channels
	}
	return p.MLP
}

// Weights gets every parameter from v, under the release's names.
func (p ParallelAttention) Weights(v Vars) ParallelAttentionWeights {
	c, m := p.Channels, p.mlp()
	must(p.Heads > 0 && c%p.Heads == 0, "ParallelAttention: %d heads do not divide %d channels", p.Heads, c)
	must(m%2 == 0, "ParallelAttention: MLP width %d is odd", m)
	k := c / p.Heads
	var w ParallelAttentionWeights
	w.Norm = normWeight(v.In("norm1"), c)
	w.Fused = v.In("fused_ff_qkv").Var("weight", FanIn(c), m+3*c, c)
	w.FusedBias = v.In("fused_ff_qkv").Var("bias", FanIn(c), m+3*c)
	w.FFOut = v.In("ff_out").Var("weight", residualWeight(m/2), c, m/2)
	w.FFOutBias = v.In("ff_out").Var("bias", residualBias(m/2), c)
	w.AttnOut = v.In("attn_out").Var("weight", residualWeight(c), c, c)
	w.QNorm, w.QNormBias = v.In("q_norm").Var("weight", One, k), v.In("q_norm").Var("bias", Zero, k)
	w.KNorm, w.KNormBias = v.In("k_norm").Var("weight", One, k), v.In("k_norm").Var("bias", Zero, k)
	w.RoPE = RoPEWeights(v.In("rotary_emb"), p.RoPE, k)
	return w
}

// Apply returns y for the tokens x [F, S, C] of a grid of S = H·W·D tokens. roll is the
// accumulated latent roll (see [AxialRoPE.Angles]): [3]; or [B, 3] for B samples, whose
// frames are ordered by sample; or nil. keep [F] holds the drop-path factor of each frame
// or is nil.
func (p ParallelAttention) Apply(x *Node, w ParallelAttentionWeights, grid [3]int, roll, keep *Node) *Node {
	c := p.Channels
	assertDims("ParallelAttention x", x, -1, grid[0]*grid[1]*grid[2], c)
	xn := RMSGroupNorm(x, w.Norm, p.Norm)
	var att, mlp *Node
	if form.OnGo(x.Graph()) {
		att, mlp = p.branches(xn, w, grid, roll)
	} else {
		angles := perFrame(w.RoPE.Angles(grid, roll), x.Shape().Dim(0))
		ff, q, k, v := p.project(xn, w)
		att = Dense(form.Kept(p.RecomputeCheap || p.InRecomputation, p.attend(q, k, v, w, angles)), w.AttnOut, nil)
		mlp = Dense(form.Kept(p.RecomputeCheap, SwiGLU(ff)), w.FFOut, w.FFOutBias)
	}
	return Add(x, DropPath(Add(att, mlp), keep))
}

// project returns ff [F,S,MLP] and q, k, v [F,S,C]. Unless turnsPairs reports true, the
// dimensions of the heads of q and k are in the order of [halves].
func (p ParallelAttention) project(xn *Node, w ParallelAttentionWeights) (ff, q, k, v *Node) {
	c, m := p.Channels, p.mlp()
	assertDims("fused_ff_qkv weight", w.Fused, m+3*c, c)
	if turnsPairs(xn.Graph(), c/p.Heads) {
		parts := form.Parts(form.Checkpoint(p.RecomputeCheap, Dense(xn, w.Fused, w.FusedBias)), m, c, c, c)
		return parts[0], parts[1], parts[2], parts[3]
	}
	pairs := 3 * RoPEFrequencies(c/p.Heads)
	reorder := func(t *Node) []*Node {
		part := func(lo, hi int) *Node { return SliceAxis(t, 0, AxisRange(lo, hi)) }
		return []*Node{part(0, m), halves(part(m, m+c), 0, p.Heads, pairs),
			halves(part(m+c, m+2*c), 0, p.Heads, pairs), part(m+2*c, m+3*c)}
	}
	parts := splitDense(p.RecomputeCheap, xn, reorder(form.After(xn, w.Fused)), reorder(w.FusedBias))
	return parts[0], parts[1], parts[2], parts[3]
}

// attend returns softmax(q·kᵀ/√K)·v over the tokens of each frame and head, after
// normalising and rotating q and k. q, k, v and the result are [F,S,C].
func (p ParallelAttention) attend(q, k, v *Node, w ParallelAttentionWeights, angles *Node) *Node {
	f, s := v.Shape().Dim(0), v.Shape().Dim(1)
	scale := 1 / sqrt(float64(p.Channels/p.Heads))
	q = p.position(q, MulScalar(w.QNorm, scale), MulScalar(w.QNormBias, scale), angles)
	k = p.position(k, w.KNorm, w.KNormBias, angles)
	v = attend.PerHead(Reshape(v, f, s, p.Heads, -1))
	layout := attend.Layout{Samples: max(p.Samples, 1), Shape: []int{f, s, p.Heads, v.Shape().Dim(3)}, Merged: attend.PerHead, PerHead: attend.PerHead}
	v = attend.OverTokens(q, k, v, layout, p.RecomputeCheap || p.InRecomputation)
	return Reshape(v, f, s, p.Channels)
}

// position normalises and rotates q or k [F,S,C] and returns it per head, [F,N,S,K].
func (p ParallelAttention) position(q, weight, bias, angles *Node) *Node {
	f, s := q.Shape().Dim(0), q.Shape().Dim(1)
	pairs := angles.Shape().Dim(-1)
	q = Reshape(q, f, s, p.Heads, -1)
	angles = Reshape(angles, -1, s, 1, pairs)
	if turnsPairs(q.Graph(), q.Shape().Dim(3)) {
		return attend.PerHead(turnPairs(headNorm(q, weight, bias), angles))
	}
	q = headNorm(q, halves(weight, 0, 1, pairs), halves(bias, 0, 1, pairs))
	return attend.PerHead(rotateHalves(q, angles))
}

// ParallelAttentionBuilder builds a ParallelAttention with variables in a scope.
type ParallelAttentionBuilder struct {
	scope      *model.Scope
	x          *Node
	cfg        ParallelAttention
	grid       [3]int
	roll, keep *Node
}

// NewParallelAttention returns a builder of the space mixing of x [F, S, C] with N heads on
// a token grid of S = H·W·D tokens.
func NewParallelAttention(scope *model.Scope, x *Node, heads int, grid [3]int) *ParallelAttentionBuilder {
	return &ParallelAttentionBuilder{scope: scope, x: x, grid: grid,
		cfg: ParallelAttention{Channels: x.Shape().Dim(-1), Heads: heads}}
}

// MLP sets the width of both halves of SwiGLU together. The default is 4·C.
func (b *ParallelAttentionBuilder) MLP(width int) *ParallelAttentionBuilder {
	b.cfg.MLP = width
	return b
}

// RoPE selects fixed or learnable frequencies.
func (b *ParallelAttentionBuilder) RoPE(m RoPEMode) *ParallelAttentionBuilder {
	b.cfg.RoPE = m
	return b
}

// Norm sets the form of the norm. The default is the release's.
func (b *ParallelAttentionBuilder) Norm(cfg NormConfig) *ParallelAttentionBuilder {
	b.cfg.Norm = cfg
	return b
}

// Roll applies an accumulated latent roll [3].
func (b *ParallelAttentionBuilder) Roll(roll *Node) *ParallelAttentionBuilder {
	b.roll = roll
	return b
}

// DropPath multiplies the residual branch of each frame by keep [F].
func (b *ParallelAttentionBuilder) DropPath(keep *Node) *ParallelAttentionBuilder {
	b.keep = keep
	return b
}

// Done creates the variables and returns y [F, S, C].
func (b *ParallelAttentionBuilder) Done() *Node {
	w := b.cfg.Weights(ScopeVars(b.scope, b.x.Graph()))
	return b.cfg.Apply(b.x, w, b.grid, b.roll, b.keep)
}

// ScoresAtOnce returns the number of scores that the backward pass of space attention holds
// at the same time on XLA for CPUs.
func ScoresAtOnce(samples, steps, heads, tokens int) int {
	return attend.ScoresAtOnce(samples, steps, heads, tokens)
}
