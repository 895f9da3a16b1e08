package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Softmax attention on XLA, with its backward pass written out. Of the forward pass only
// the logarithm of every query's sum of exponentials is kept; the weights
// p = exp(q·kᵀ + bias − logs) are computed again, and
//
//	dv = pᵀ·dy,  ds = p·(dy·vᵀ − Σ dy·y),  dq = ds·k,  dk = dsᵀ·q,  dbias = Σ ds
//
// Where there are many scores a loop takes a few heads of a frame at a time, and of large
// frames some queries, each against all keys, so that the softmax of a part is exact by
// itself and its scores stay in the caches.
//
// Inside a loop there are no reductions: go-xla v0.4.1 keeps the function of a reduction
// for the whole program, and it may be used only where it was made first. The sum over
// keys is a product with ones, and maxima are taken of slices. For a like reason (gomlx
// keeps scalars for the whole graph) constants are made outside and handed in.

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

// scoresOf is the number of scores of q [F, N, S, K].
func scoresOf(q *Node) int { return q.Shape().Size() / q.Shape().Dim(3) * q.Shape().Dim(2) }

// headLayout is where heads stand among the axes around attention: merged leads from
// [F, N, S, K] to the given shape, which ends in K, perHead back. The frames are those of
// so many samples, one after the other.
type headLayout struct {
	samples         int
	shape           []int
	merged, perHead func(*Node) *Node
}

// attend returns softmax(q·kᵀ + bias)·v, merged, for q, k, v [F, N, S, K]; bias
// [1, N or 1, S, S] or nil. Its backward pass computes q, k and v again if they lie
// behind a [checkpoint].
func attend(q, k, v, bias *Node, layout headLayout) *Node {
	if onGo(q.Graph()) {
		return layout.merged(softmaxDot(q, k, v, bias))
	}
	limits := limitsFor(q.Graph())
	if bias != nil || scoresOf(q) < limits.training {
		return attendBy(q, k, v, bias, layout, func(q, k, v *Node) (y, logs *Node) {
			return forwardAtOnce(q, k, v, bias)
		}, backwardAtOnce)
	}
	size := limits.sizeOf(layout.samples, q.Shape().Dim(1), q.Shape().Dim(2))
	return attendBy(q, k, v, nil, layout, func(q, k, v *Node) (y, logs *Node) {
		return forwardInParts(q, k, v, size)
	}, func(g attendGiven) []*Node { return backwardInParts(g, size) })
}

// attendGiven is what the backward pass begins with, all per head: with dy, the gradient
// of the result y, and along = Σ dy·y over K, [F, N, S, 1].
type attendGiven struct {
	q, k, v, bias, logs, dy *Node
	along                   func() *Node
}

// attendBy is attend with the given passes. That back returns the gradients of q, k, v
// and the bias.
func attendBy(q, k, v, bias *Node, layout headLayout, forward func(q, k, v *Node) (y, logs *Node), back func(attendGiven) []*Node) *Node {
	var params []*Node
	if bias != nil {
		params = []*Node{bias}
	}
	var y, logs *Node
	return withAdjoint(stack(q, k, v), params, shapes.Make(q.DType(), layout.shape...), func() *Node {
		y, logs = forward(q, k, v)
		y = layout.merged(y)
		return y
	}, func(again, dy *Node) []*Node {
		along := func() *Node {
			return layout.perHead(ReduceAndKeep(Mul(atLeastFloat32(dy), atLeastFloat32(y)), ReduceSum, -1))
		}
		made := back(attendGiven{entry(again, 0), entry(again, 1), entry(again, 2), bias, logs, layout.perHead(dy), along})
		return append([]*Node{stack(made[:3]...)}, made[3:]...)
	})
}

// dotHeads is the product of a and b over axis i of a and j of b, for each frame and head.
func dotHeads(a *Node, i int, b *Node, j int) *Node {
	return DotGeneral(a, []int{i}, []int{0, 1}, b, []int{j}, []int{0, 1})
}

// turned exchanges the last two axes.
func turned(x *Node) *Node { return TransposeAllDims(x, 0, 1, 3, 2) }

// atLeastFloat32 is x in float32 if its type is shorter: between its products the softmax is not
// computed in half precision.
func atLeastFloat32(x *Node) *Node {
	if x.DType().IsHalfPrecision() {
		return ConvertDType(x, dtypes.Float32)
	}
	return x
}

// dotAs is dotHeads of a, brought to the type of b.
func dotAs(a *Node, i int, b *Node, j int) *Node {
	return dotHeads(ConvertDType(a, b.DType()), i, b, j)
}

// forwardAtOnce returns the result and the logarithms of the sums, [F, N, S, 1].
func forwardAtOnce(q, k, v, bias *Node) (y, logs *Node) {
	scores := addBias(dotHeads(q, 3, k, 3), bias)
	top := ReduceAndKeep(scores, ReduceMax, -1)
	e := Exp(Sub(scores, top))
	sum := ReduceAndKeep(e, ReduceSum, -1)
	return Div(dotAs(e, 3, v, 2), ConvertDType(sum, v.DType())), Add(top, Log(sum))
}

// addBias returns scores + bias.
func addBias(scores, bias *Node) *Node {
	if bias == nil {
		return atLeastFloat32(scores)
	}
	return Add(atLeastFloat32(scores), atLeastFloat32(bias))
}

// backwardAtOnce on CPUs computes weights and their gradients transposed, too: products of
// a transposed operand are slow there where they are small, as over time.
func backwardAtOnce(g attendGiven) []*Node {
	p := Exp(Sub(addBias(dotHeads(g.q, 3, g.k, 3), g.bias), g.logs))
	dp := atLeastFloat32(dotHeads(g.dy, 3, g.v, 3))
	var ds *Node
	var made []*Node
	if onGPU(p.Graph()) {
		ds = Mul(p, Sub(dp, g.along()))
		made = []*Node{dotAs(ds, 3, g.k, 2), dotAs(ds, 2, g.q, 2), dotAs(p, 2, g.dy, 2)}
	} else {
		along := ReduceAndKeep(Mul(p, dp), ReduceSum, -1) // Σ dy·y, too
		ds = Mul(p, Sub(dp, along))
		bias := g.bias
		if bias != nil {
			bias = turned(bias)
		}
		pt := Exp(Sub(addBias(dotHeads(g.k, 3, g.q, 3), bias), turned(g.logs)))
		dst := Mul(pt, Sub(atLeastFloat32(dotHeads(g.v, 3, g.dy, 3)), turned(along)))
		made = []*Node{dotAs(ds, 3, g.k, 2), dotAs(dst, 3, g.q, 2), dotAs(pt, 3, g.dy, 2)}
	}
	if g.bias == nil {
		return made
	}
	dbias := ReduceAndKeep(ds, ReduceSum, 0)
	if g.bias.Shape().Dim(1) == 1 {
		dbias = ReduceAndKeep(dbias, ReduceSum, 1)
	}
	return append(made, ConvertDType(dbias, g.bias.DType()))
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

// part is some queries of a group of heads inside the loop. The last one of a group begins
// early enough to be whole; with even there is no such overlap.
type part struct {
	group, from, regular *Node // int32 []; regular is where it would begin without that
	width                int
	even, single         bool // single: all queries
	constants
}

// constants are what parts need: int32 [] zero, one, size, last (where the last part of a
// group begins), end and groups; and places 0, 1, … int32 [1, 1, size, 1].
type constants struct{ zero, one, size, last, end, groups, places *Node }

// of is the part of x [B, groups, heads, S, …], [B, heads, size, …].
func (p part) of(x *Node) *Node { return p.take(x, p.width, p.from) }

// put is x with y in the place of the part.
func (p part) put(x, y *Node) *Node { return p.place(x, y, p.from) }

// groupOf is the part's whole group of x, with all tokens.
func (p part) groupOf(x *Node) *Node { return p.take(x, x.Shape().Dim(3), p.zero) }

// addToGroup is x with y added to the part's whole group, or in its place if the part is
// the group's first.
func (p part) addToGroup(x, y *Node) *Node {
	if !p.single {
		first := BroadcastToDims(Equal(p.regular, p.zero), y.Shape().Dimensions...)
		y = Where(first, y, Add(p.groupOf(x), y))
	}
	return p.place(x, y, p.zero)
}

func (p part) take(x *Node, count int, from *Node) *Node {
	d := x.Shape().Dimensions
	return Squeeze(DynamicSlice(x, p.at(from), []int{d[0], 1, d[2], count, d[4]}), 1)
}

func (p part) place(x, y, from *Node) *Node {
	return DynamicUpdateSlice(x, ExpandAxes(y, 1), p.at(from))
}

func (p part) at(from *Node) []*Node { return []*Node{p.zero, p.group, p.zero, from, p.zero} }

// fresh is x, a part, with 0 for queries that an earlier part had.
func (p part) fresh(x *Node) *Node {
	if p.even {
		return x
	}
	return Where(p.isFresh(x), x, BroadcastToDims(ConvertDType(p.zero, x.DType()), x.Shape().Dimensions...))
}

// putFresh is put without the queries that an earlier part had.
func (p part) putFresh(x, y *Node) *Node {
	if !p.even {
		y = Where(p.isFresh(y), y, p.of(x))
	}
	return p.put(x, y)
}

// isFresh tells for every number of x, a part, whether its query is new.
func (p part) isFresh(x *Node) *Node {
	return BroadcastToDims(GreaterOrEqual(Add(p.places, p.from), p.regular), x.Shape().Dimensions...)
}

// inParts calls step for all parts of size queries, one after the other, with the nodes
// that are given, [B, groups, heads, S, …], and what has been made so far, begun at first,
// and returns what is made in the end.
func inParts(size int, given, begun []*Node, step func(p part, given, made []*Node) []*Node) []*Node {
	g, groups, s := given[0].Graph(), given[0].Shape().Dim(1), given[0].Shape().Dim(3)
	number := func(n int) *Node { return Scalar(g, dtypes.Int32, n) }
	consts := []*Node{number(0), number(1), number(size), number(s - size), number(s), number(groups),
		Iota(g, shapes.Make(dtypes.Int32, 1, 1, size, 1), 2)}
	counters := []*Node{consts[0], consts[0]}
	state := slices.Concat(counters, consts, given, begun)
	// read declares the state in a function.
	read := func(g *Graph) (p part, stays, given, made []*Node) {
		in := make([]*Node, len(state))
		for i, n := range state {
			in[i] = Parameter(g, fmt.Sprintf("state %d", i), n.Shape())
		}
		stays, made = in[len(counters):len(in)-len(begun)], in[len(in)-len(begun):]
		c := stays[:len(consts)]
		p = part{group: in[0], regular: in[1], width: size, even: s%size == 0, single: s == size,
			constants: constants{c[0], c[1], c[2], c[3], c[4], c[5], c[6]}}
		p.from = Min(p.regular, p.last)
		return p, stays, stays[len(consts):], made
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		p, _, _, _ := read(g)
		return []*Node{LessThan(p.group, p.groups)}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		p, stays, given, made := read(g)
		next := Add(p.regular, p.size)
		done := GreaterOrEqual(next, p.end)
		return slices.Concat([]*Node{Where(done, Add(p.group, p.one), p.group), Where(done, p.zero, next)},
			stays, step(p, given, made))
	})
	return While(more, body, state...)[len(state)-len(begun):]
}

// stack puts nodes of one shape behind each other along a new first axis, of which entry
// takes one.
func stack(list ...*Node) *Node {
	parts := make([]*Node, len(list))
	for i, x := range list {
		parts[i] = ExpandAxes(x, 0)
	}
	return Concatenate(parts, 0)
}

func entry(x *Node, i int) *Node { return Squeeze(SliceAxis(x, 0, AxisElem(i)), 0) }
