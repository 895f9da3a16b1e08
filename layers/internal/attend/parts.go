package attend

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// Attention in parts: a loop processes a few heads of a frame at a time and, for large
// frames, some queries. Each part has all keys, so its softmax is exact, and its scores fit
// into the caches.
//
// The loop contains no reductions: go-xla v0.4.5 keeps one function per kind of reduction
// for the whole program, and that function may be used only where it was created. The sum
// over keys is therefore a product with ones, and maxima are computed from slices.

// partLimits are the numbers of scores at which attention is computed in parts.
type partLimits struct {
	// A layer with at least inference scores is computed in parts in inference, one with at
	// least training scores in both passes of training.
	inference, training int
	// part is the largest number of scores of a part.
	part int
}

var (
	// On CPUs the scores of a part, 5 MiB, fit into the caches.
	cpuParts = partLimits{inference: 128 << 20, training: 4 << 20, part: 5 << 18}
	// On GPUs a loop would start many small operations. All scores are computed at once if
	// they fit into memory. (Most attention there is fused and stores no scores.)
	gpuParts = partLimits{inference: 1 << 30, training: 1 << 30, part: 1 << 28}
)

func limitsFor(g *Graph) partLimits {
	if form.OnGPU(g) {
		return gpuParts
	}
	return cpuParts
}

// ScoresAtOnce returns the number of scores that the backward pass of space attention holds
// at the same time on XLA for CPUs.
func ScoresAtOnce(samples, steps, heads, tokens int) int {
	if all := samples * steps * heads * tokens * tokens; all < cpuParts.training {
		return all
	}
	size := cpuParts.sizeOf(samples, heads, tokens)
	return samples * size.heads * size.queries * tokens
}

// partSize is the number of heads and queries per part. A part has frames of all samples,
// because samples may be sharded over devices, and a loop over samples would gather them.
type partSize struct{ samples, heads, queries int }

// sizeOf returns a part size that divides the numbers of heads and tokens, if there is a
// suitable one.
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

// grouped reshapes x [F, N, S, …] to [samples, groups, heads, S, …] for parts of p.heads
// heads. ungrouped undoes it.
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
	v = form.WithOnes(v) // the sum of exponentials is one more column of the product
	q, k, v = size.grouped(q), size.grouped(k), size.grouped(v)
	begun := []*Node{q, form.AtLeastFloat32(SliceAxis(q, 4, AxisElem(0)))} // initial values of the right shape
	made := inParts(size.queries, []*Node{q, k, v}, begun, func(p part, given, made []*Node) []*Node {
		scores := form.AtLeastFloat32(form.BatchDot(p.of(given[0]), -1, p.groupOf(given[1]), -1))
		top := largest(scores)
		sums := dotAs(Exp(Sub(scores, top)), -1, p.groupOf(given[2]), -2)
		y, sum := SliceAxis(sums, 3, AxisRange(0, width)), SliceAxis(sums, 3, AxisRange(width))
		return []*Node{p.put(made[0], Div(y, sum)), p.put(made[1], Add(top, Log(form.AtLeastFloat32(sum))))}
	})
	return size.ungrouped(made[0], heads), size.ungrouped(made[1], heads)
}

// largest returns the largest score of every query. Each pass compares sixteen slices.
func largest(scores *Node) *Node {
	for n := scores.Shape().Dim(3); n > 1; n = scores.Shape().Dim(3) {
		width := (n + 15) / 16
		all := scores
		scores = SliceAxis(all, 3, AxisRange(0, width))
		for at := width; at < n; at += width {
			from := min(at, n-width) // the last slice may overlap
			scores = Max(scores, SliceAxis(all, 3, AxisRange(from, from+width)))
		}
	}
	return scores
}

// backwardInParts is backwardAtOnce in parts. Scores are stored transposed, [samples,
// heads, S, queries], so that two of their three products need no transposition.
func backwardInParts(g attendGiven, size partSize) []*Node {
	heads := g.q.Shape().Dim(1)
	given := []*Node{g.q, g.k, g.v, g.logs, g.dy, g.along()}
	for i := range given {
		given[i] = size.grouped(given[i])
	}
	begun := []*Node{given[4], given[4], given[4]} // initial values of the right shape
	made := inParts(size.queries, given, begun, func(p part, given, made []*Node) []*Node {
		q, k, v, logs := p.of(given[0]), p.groupOf(given[1]), p.groupOf(given[2]), p.of(given[3])
		dy, along := p.fresh(p.of(given[4])), p.fresh(p.of(given[5]))
		w := Exp(Sub(form.AtLeastFloat32(form.BatchDot(k, -1, q, -1)), turned(logs)))
		ds := ConvertDType(Mul(w, Sub(form.AtLeastFloat32(form.BatchDot(v, -1, dy, -1)), turned(along))), q.DType())
		return []*Node{
			p.putFresh(made[0], turned(form.BatchDot(turned(k), -1, ds, -2))),
			p.addToGroup(made[1], form.BatchDot(ds, -1, q, -2)),
			p.addToGroup(made[2], dotAs(w, -1, dy, -2)),
		}
	})
	for i := range made {
		made[i] = size.ungrouped(made[i], heads)
	}
	return made
}
