package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Attention in parts: a loop takes a few heads of a frame at a time, and of large frames
// some queries, each against all keys, so that the softmax of a part is exact by itself
// and its scores stay in the caches.
//
// Inside a loop there are no reductions: go-xla v0.4.5 keeps the function of a reduction
// for the whole program, and it may be used only where it was made first. The sum over
// keys is a product with ones, and maxima are taken of slices.

// partLimits say where scores are taken in parts.
type partLimits struct {
	// inference is the number of scores of a layer from where on they are taken in parts
	// in inference, and training that in training, in both passes.
	inference, training int
	// part is the most scores of a part.
	part int
}

var (
	// On CPUs a part, 5 MiB, stays in the caches.
	cpuParts = partLimits{inference: 128 << 20, training: 4 << 20, part: 5 << 18}
	// On GPUs a loop would start many small operations: all scores, as long as there is
	// room for them. (Most attention there is fused and has no scores.)
	gpuParts = partLimits{inference: 1 << 30, training: 1 << 30, part: 1 << 28}
)

func limitsFor(g *Graph) partLimits {
	if onGPU(g) {
		return gpuParts
	}
	return cpuParts
}

// ScoresAtOnce is how many scores the backward pass of attention over the space of frames
// has at a time on XLA for CPUs.
func ScoresAtOnce(samples, steps, heads, tokens int) int {
	if all := samples * steps * heads * tokens * tokens; all < cpuParts.training {
		return all
	}
	size := cpuParts.sizeOf(samples, heads, tokens)
	return samples * size.heads * size.queries * tokens
}

// partSize is how many heads and queries of a frame are taken at a time, of all samples:
// these may be cut over devices, which a loop over them would bring together.
type partSize struct{ samples, heads, queries int }

// sizeOf finds divisors of the numbers of heads and tokens, if there are good ones.
func (l partLimits) sizeOf(samples, heads, tokens int) partSize {
	for n := heads; n >= 1; n-- {
		if heads%n == 0 && samples*n*tokens*tokens <= l.part {
			return partSize{samples, n, tokens}
		}
	}
	most := min(max(l.part/(samples*tokens), 16), tokens)
	for n := most; n > most/2; n-- {
		if tokens%n == 0 {
			return partSize{samples, 1, n}
		}
	}
	return partSize{samples, 1, most}
}

// grouped regroups the heads of x [F, N, S, …], [samples, groups, heads, S, …], for
// parts of so many heads; ungrouped undoes it.
func (p partSize) grouped(x *Node) *Node {
	d := x.Shape().Dimensions
	return Reshape(x, p.samples, -1, p.heads, d[2], d[3])
}

func (p partSize) ungrouped(x *Node, heads int) *Node {
	d := x.Shape().Dimensions
	return Reshape(x, -1, heads, d[3], d[4])
}

// forwardInParts is forwardAtOnce in parts.
func forwardInParts(q, k, v *Node, size partSize) (y, logs *Node) {
	heads, width := q.Shape().Dim(1), v.Shape().Dim(3)
	v = withOnes(v) // the sum of exponentials is one more column of the product
	q, k, v = size.grouped(q), size.grouped(k), size.grouped(v)
	begun := []*Node{q, atLeastFloat32(SliceAxis(q, 4, AxisElem(0)))} // any numbers of these shapes
	made := inParts(size.queries, []*Node{q, k, v}, begun, func(p part, given, made []*Node) []*Node {
		scores := atLeastFloat32(dotHeads(p.of(given[0]), 3, p.groupOf(given[1]), 3))
		top := largest(scores)
		sums := dotAs(Exp(Sub(scores, top)), 3, p.groupOf(given[2]), 2)
		y, sum := SliceAxis(sums, 3, AxisRange(0, width)), SliceAxis(sums, 3, AxisRange(width))
		return []*Node{p.put(made[0], Div(y, sum)), p.put(made[1], Add(top, Log(atLeastFloat32(sum))))}
	})
	return size.ungrouped(made[0], heads), size.ungrouped(made[1], heads)
}

// largest is the largest score of every query. Sixteen runs side by side are compared in
// one pass.
func largest(scores *Node) *Node {
	for n := scores.Shape().Dim(3); n > 1; n = scores.Shape().Dim(3) {
		width := (n + 15) / 16
		all := scores
		scores = SliceAxis(all, 3, AxisRange(0, width))
		for at := width; at < n; at += width {
			from := min(at, n-width) // the last run may overlap
			scores = Max(scores, SliceAxis(all, 3, AxisRange(from, from+width)))
		}
	}
	return scores
}

// backwardInParts is backwardAtOnce in parts. Scores lie transposed, [samples, heads, S, queries]:
// two of the three products with them then need no transposition.
func backwardInParts(g attendGiven, size partSize) []*Node {
	heads := g.q.Shape().Dim(1)
	given := []*Node{g.q, g.k, g.v, g.logs, g.dy, g.along()}
	for i := range given {
		given[i] = size.grouped(given[i])
	}
	begun := []*Node{given[4], given[4], given[4]} // any numbers of this shape, at hand just now
	made := inParts(size.queries, given, begun, func(p part, given, made []*Node) []*Node {
		q, k, v, logs := p.of(given[0]), p.groupOf(given[1]), p.groupOf(given[2]), p.of(given[3])
		dy, along := p.fresh(p.of(given[4])), p.fresh(p.of(given[5]))
		w := Exp(Sub(atLeastFloat32(dotHeads(k, 3, q, 3)), turned(logs)))
		ds := ConvertDType(Mul(w, Sub(atLeastFloat32(dotHeads(v, 3, dy, 3)), turned(along))), q.DType())
		return []*Node{
			p.putFresh(made[0], turned(dotHeads(turned(k), 3, ds, 2))),
			p.addToGroup(made[1], dotHeads(ds, 3, q, 2)),
			p.addToGroup(made[2], dotAs(w, 3, dy, 2)),
		}
	})
	for i := range made {
		made[i] = size.ungrouped(made[i], heads)
	}
	return made
}
