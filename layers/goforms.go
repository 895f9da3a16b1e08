package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// This file holds the forms of operations that gomlx's pure Go backend runs fastest. On
// that backend, only matrix products use vector instructions and all cores; copies of
// contiguous values and operations on equal shapes are cheap; transpositions, slices, sums
// over an axis and broadcasts are loops over single numbers. Independent operations may run
// at the same time, so work is divided into heads and frames.

// withOnes appends a column of ones to the last axis of x.
func withOnes(x *Node) *Node {
	s := x.Shape().Clone()
	s.Dimensions[s.Rank()-1] = 1
	return Concatenate([]*Node{x, Ones(x.Graph(), s)}, -1)
}

// withBias appends the bias [out] as a column to the weight [out, in], so that the product
// with [withOnes] of x adds it.
func withBias(weight, bias *Node) *Node {
	return Concatenate([]*Node{weight, ExpandAxes(bias, -1)}, 1)
}

// lastDot returns x·weightᵀ over the last axis, for weight [out, in].
func lastDot(x, weight *Node) *Node {
	out, in := weight.Shape().Dim(0), weight.Shape().Dim(1)
	if isSmall(x, x.Shape().Size()/in, in, out) {
		return smallLastDot(x, weight)
	}
	return rowsDot(x, weight)
}

// rowsDot is lastDot in one node, for a product of any size.
func rowsDot(x, weight *Node) *Node {
	return DotGeneral(x, []int{x.Rank() - 1}, nil, weight, []int{1}, nil)
}

// meanByDot returns the mean over the middle axis of x [F, S, C], with shape [F, 1, C].
func meanByDot(x *Node) *Node {
	f, s := x.Shape().Dim(0), x.Shape().Dim(1)
	ones := Ones(x.Graph(), shapes.Make(x.DType(), f, 1, s))
	return DivScalar(DotGeneral(ones, []int{2}, []int{0}, x, []int{1}, []int{0}), float64(s))
}

// scaleChannels multiplies x [F, space…, C] by factors [F, C], which a product with a
// column of ones repeats over space.
func scaleChannels(x, factors *Node) *Node {
	f, c := factors.Shape().Dim(0), factors.Shape().Dim(1)
	ones := Ones(x.Graph(), shapes.Make(x.DType(), f, x.Shape().Size()/(f*c), 1))
	spread := DotGeneral(ones, []int{2}, []int{0}, Reshape(factors, f, 1, c), []int{1}, []int{0})
	return Mul(x, Reshape(spread, x.Shape().Dimensions...))
}

// repeatFirst repeats x [1, …] along its first axis. It returns x if it has that length
// already.
func repeatFirst(x *Node, times int) *Node {
	if x.Shape().Dim(0) == times {
		return x
	}
	parts := make([]*Node, times)
	for i := range parts {
		parts[i] = x
	}
	return Concatenate(parts, 0)
}

// branches returns the results of attention and of the MLP for xn [F, S, C], before they
// are added. Each head uses its own rows of the projection and its own columns of the
// output, so that no transposition separates the heads.
func (p ParallelAttention) branches(xn *Node, w ParallelAttentionWeights, grid [3]int, roll *Node) (att, mlp *Node) {
	c, m, k, f := p.Channels, p.mlp(), p.Channels/p.Heads, xn.Shape().Dim(0)
	assertDims("fused_ff_qkv weight", w.Fused, m+3*c, c)
	x, fused := withOnes(xn), withBias(w.Fused, w.FusedBias)
	rows := func(lo, hi int) *Node { return SliceAxis(fused, 0, AxisRange(lo, hi)) }
	of := func(turn func(*Node) *Node) *Node {
		return repeatFirst(perFrame(w.RoPE.overTokens(grid, roll, turn), f), f)
	}
	cos, sin := of(Cos), of(Sin)
	pairs := cos.Shape().Dim(-1)
	position := func(from int, weight, bias *Node, scale float64) *Node {
		half := func(t *Node) *Node { return MulScalar(halves(t, 0, 1, pairs), scale) }
		q := lastDot(x, halves(rows(from, from+k), 0, 1, pairs))
		return turnHalves(headNorm(q, half(weight), half(bias)), cos, sin)
	}
	heads := make([]*Node, p.Heads)
	for i := range heads {
		q := position(m+i*k, w.QNorm, w.QNormBias, 1/sqrt(float64(k)))
		key := position(m+c+i*k, w.KNorm, w.KNormBias, 1)
		v := lastDot(x, rows(m+2*c+i*k, m+2*c+(i+1)*k))
		heads[i] = softmaxDot(q, key, v, nil)
	}
	att = lastDot(Concatenate(heads, -1), w.AttnOut)
	gated := Mul(SiLU(lastDot(x, rows(m/2, m))), lastDot(x, rows(0, m/2)))
	return att, lastDot(withOnes(gated), withBias(w.FFOut, w.FFOutBias))
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
		scores[i] = Add(lastDot(Mul(q, kv.Key), owner), Reshape(SliceAxis(bias, 0, AxisElem(i)), 1, 1, -1))
	}
	weights := ConvertDType(softmaxFirst(atLeastFloat32(stack(scores...))), q.DType())
	var out *Node
	for i, kv := range all {
		weight := DotGeneral(entry(weights, i), []int{2}, nil, owner, []int{0}, nil)
		out = addTo(out, Mul(weight, kv.Value))
	}
	return out
}

// addTo returns sum + x, or x if sum is nil.
func addTo(sum, x *Node) *Node {
	if sum == nil {
		return x
	}
	return Add(sum, x)
}

// gatherRows computes SelectColumns by one gather of rows.
func gatherRows(w, ids *Node, axis int) *Node {
	d := w.Shape().Clone().Dimensions
	outer, n, count := 1, d[axis], ids.Shape().Dim(0)
	for _, m := range d[:axis] {
		outer *= m
	}
	inner := w.Shape().Size() / (outer * n)
	first := Iota(w.Graph(), shapes.Make(ids.DType(), outer, 1), 0)
	rows := Add(MulScalar(first, n), Reshape(ids, 1, count))
	d[axis] = count
	return Reshape(Gather(Reshape(w, outer*n, inner), Reshape(rows, outer*count, 1)), d...)
}
