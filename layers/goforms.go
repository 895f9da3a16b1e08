package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// This file holds the forms of operations that gomlx's pure Go backend runs fastest. On
// that backend, only matrix products use vector instructions and all cores; copies of
// contiguous values and operations on equal shapes are cheap; transpositions, slices, sums
// over an axis and broadcasts are loops over single numbers. Independent operations may run
// at the same time, so work is divided into heads and frames.

// branches returns the results of attention and of the MLP for xn [F, S, C], before they
// are added. Each head uses its own rows of the projection and its own columns of the
// output, so that no transposition separates the heads.
func (p ParallelAttention) branches(xn *Node, w ParallelAttentionWeights, grid [3]int, roll *Node) (att, mlp *Node) {
	c, m, k, f := p.Channels, p.mlp(), p.Channels/p.Heads, xn.Shape().Dim(0)
	assertDims("fused_ff_qkv weight", w.Fused, m+3*c, c)
	x, fused := form.WithOnes(xn), form.WithBias(w.Fused, w.FusedBias)
	rows := func(lo, hi int) *Node { return SliceAxis(fused, 0, AxisRange(lo, hi)) }
	of := func(turn func(*Node) *Node) *Node {
		return form.RepeatFirst(perFrame(w.RoPE.overTokens(grid, roll, turn), f), f)
	}
	cos, sin := of(Cos), of(Sin)
	pairs := cos.Shape().Dim(-1)
	position := func(from int, weight, bias *Node, scale float64) *Node {
		half := func(t *Node) *Node { return MulScalar(halves(t, 0, 1, pairs), scale) }
		q := form.LastDot(x, halves(rows(from, from+k), 0, 1, pairs))
		return turnHalves(headNorm(q, half(weight), half(bias)), cos, sin)
	}
	heads := make([]*Node, p.Heads)
	for i := range heads {
		q := position(m+i*k, w.QNorm, w.QNormBias, 1/sqrt(float64(k)))
		key := position(m+c+i*k, w.KNorm, w.KNormBias, 1)
		v := form.LastDot(x, rows(m+2*c+i*k, m+2*c+(i+1)*k))
		heads[i] = attend.SoftmaxDot(q, key, v, nil)
	}
	att = form.LastDot(Concatenate(heads, -1), w.AttnOut)
	gated := Mul(SiLU(form.LastDot(x, rows(m/2, m))), form.LastDot(x, rows(0, m/2)))
	return att, form.LastDot(form.WithOnes(gated), form.WithBias(w.FFOut, w.FFOutBias))
}

// framesApart computes [TimeAttention.ApplyBatchFirst] of a causal layer frame by frame.
func (p TimeAttention) framesApart(x *Node, w TimeAttentionWeights, keep *Node) *Node {
	d := x.Shape().Dimensions
	b, t, s, c := d[0], d[1], d[2], d[3]
	table := ExpandAxes(p.bias(t, w), 1) // [N, 1, T, T]
	frames, past := make([]*Node, t), make([]KeyValue, 0, t)
	for i := range frames {
		frame := Reshape(SliceAxis(x, 1, AxisElem(i)), b, s, c)
		q, own := p.queryKeyValue(frame, w)
		past = append(past, own)
		bias := Reshape(SliceAxis(table, 2, AxisElem(i)), -1, t)
		bias = TransposeAllDims(SliceAxis(bias, 1, AxisRange(0, i+1)), 1, 0)
		out := p.out(attendByDots(q, past, bias, p.Heads), w)
		if keep != nil {
			assertDims("DropPath keep", keep, t)
			out = Mul(out, Reshape(SliceAxis(keep, 0, AxisElem(i)), 1, 1, 1))
		}
		frames[i] = ExpandAxes(Add(frame, out), 1)
	}
	return Concatenate(frames, 1)
}

// attendByDots is attendFew for q [B, S, C] with channels ordered by head, and a bias [n, N
// or 1]. It sums over the channels of a head, and repeats a head's weight over its
// channels, by matrix products with a table of the head of each channel.
func attendByDots(q *Node, all []KeyValue, bias *Node, heads int) *Node {
	c := q.Shape().Dim(-1)
	table := make([][]float64, heads)
	for n := range table {
		table[n] = make([]float64, c)
		for i := range c / heads {
			table[n][n*c/heads+i] = 1
		}
	}
	owner := ConstAs(q, table) // [N, C]
	scores := make([]*Node, len(all))
	for i, kv := range all {
		scores[i] = Add(form.LastDot(Mul(q, kv.Key), owner), Reshape(SliceAxis(bias, 0, AxisElem(i)), 1, 1, -1))
	}
	weights := ConvertDType(form.SoftmaxFirst(form.AtLeastFloat32(form.Stacked(scores...))), q.DType())
	var out *Node
	for i, kv := range all {
		weight := DotGeneral(form.Entry(weights, i), []int{2}, nil, owner, []int{0}, nil)
		out = form.AddTo(out, Mul(weight, kv.Value))
	}
	return out
}
