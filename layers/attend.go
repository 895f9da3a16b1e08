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
// keys is a product with ones, and maxima are taken by halves. For a like reason (gomlx
// keeps scalars for the whole graph) constants are made outside and handed in.

const (
	// manyScores is the number of scores of a layer from where on the forward pass
	// takes them in parts, and manyGradients that for the backward pass.
	manyScores, manyGradients = 128 << 20, 4 << 20
	// partScores is the most scores of a part: 5 MiB of them.
	partScores = 5 << 18
)

// ScoresAtOnce is how many scores the backward pass of attention over the space of frames
// has at a time on XLA.
func ScoresAtOnce(frames, heads, tokens int) int {
	if all := frames * heads * tokens * tokens; all < manyGradients {
		return all
	}
	size := partsOf(heads, tokens)
	return size.heads * size.queries * tokens
}

// partSize is how many heads and queries of a frame are taken at a time.
type partSize struct{ heads, queries int }

// partsOf finds divisors of the numbers of heads and tokens, if there are good ones.
func partsOf(heads, tokens int) partSize {
	for n := heads; n > 1; n-- {
		if heads%n == 0 && n*tokens*tokens <= partScores {
			return partSize{n, tokens}
		}
	}
	most := max(partScores/tokens, 16)
	if most >= tokens {
		return partSize{1, tokens}
	}
	for n := most; n > most/2; n-- {
		if tokens%n == 0 {
			return partSize{1, n}
		}
	}
	return partSize{1, most}
}

// scoresOf is the number of scores of q [F, N, S, K].
func scoresOf(q *Node) int { return q.Shape().Size() / q.Shape().Dim(3) * q.Shape().Dim(2) }

// headLayout is where heads stand among the axes around attention: merged leads from
// [F, N, S, K] to the given shape, which ends in K, perHead back.
type headLayout struct {
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
	if bias != nil || scoresOf(q) < manyGradients {
		return attendBy(q, k, v, bias, layout, func(q, k, v *Node) (y, logs *Node) {
			return forwardAtOnce(q, k, v, bias)
		}, backwardAtOnce)
	}
	size := partsOf(q.Shape().Dim(1), q.Shape().Dim(2))
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
		along := func() *Node { return layout.perHead(ReduceAndKeep(Mul(dy, y), ReduceSum, -1)) }
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

// forwardAtOnce returns the result and the logarithms of the sums, [F, N, S, 1].
func forwardAtOnce(q, k, v, bias *Node) (y, logs *Node) {
	e, top := exponentials(q, k, bias)
	sum := ReduceAndKeep(e, ReduceSum, -1)
	return Div(dotHeads(e, 3, v, 2), sum), Add(top, Log(sum))
}

// exponentials returns exp(q·kᵀ + bias − top) and the largest score of every query, top.
func exponentials(q, k, bias *Node) (e, top *Node) {
	scores := addBias(dotHeads(q, 3, k, 3), bias)
	top = StopGradient(ReduceAndKeep(scores, ReduceMax, -1))
	return Exp(Sub(scores, top)), top
}

func addBias(scores, bias *Node) *Node {
	if bias == nil {
		return scores
	}
	return Add(scores, bias)
}

// backwardAtOnce computes weights and their gradients transposed, too: products of a
// transposed operand are slow where they are small, as over time. Σ dy·y is Σ p·(dy·vᵀ).
func backwardAtOnce(g attendGiven) []*Node {
	p := Exp(Sub(addBias(dotHeads(g.q, 3, g.k, 3), g.bias), g.logs))
	dp := dotHeads(g.dy, 3, g.v, 3)
	along := ReduceAndKeep(Mul(p, dp), ReduceSum, -1)
	ds := Mul(p, Sub(dp, along))
	bias := g.bias
	if bias != nil {
		bias = turned(bias)
	}
	p = Exp(Sub(addBias(dotHeads(g.k, 3, g.q, 3), bias), turned(g.logs)))
	dst := Mul(p, Sub(dotHeads(g.v, 3, g.dy, 3), turned(along)))
	made := []*Node{dotHeads(ds, 3, g.k, 2), dotHeads(dst, 3, g.q, 2), dotHeads(p, 3, g.dy, 2)}
	if bias == nil {
		return made
	}
	dbias := ReduceAndKeep(ds, ReduceSum, 0)
	if bias.Shape().Dim(1) == 1 {
		dbias = ReduceAndKeep(dbias, ReduceSum, 1)
	}
	return append(made, dbias)
}

// inFrames regroups the heads of x [F, N, S, …], [F·N/heads, heads, S, …], so that those
// of a part are a frame of their own.
func inFrames(x *Node, heads int) *Node {
	d := x.Shape().Dimensions
	return Reshape(x, d[0]*d[1]/heads, heads, d[2], d[3])
}

// forwardInParts is forwardAtOnce in parts.
func forwardInParts(q, k, v *Node, size partSize) (y, logs *Node) {
	heads, width := q.Shape().Dim(1), v.Shape().Dim(3)
	q, k, v = inFrames(q, size.heads), inFrames(k, size.heads), inFrames(v, size.heads)
	v = withOnes(v)                                   // the sum of exponentials is one more column of the product
	begun := []*Node{q, SliceAxis(q, 3, AxisElem(0))} // any numbers of these shapes
	made := inParts(q, size.queries, []*Node{q, k, v}, begun, func(p part, given, made []*Node) []*Node {
		scores := dotHeads(p.of(given[0]), 3, p.frameOf(given[1]), 3)
		top := largest(scores)
		sums := dotHeads(Exp(Sub(scores, top)), 3, p.frameOf(given[2]), 2)
		sum := SliceAxis(sums, 3, AxisRange(width))
		return []*Node{p.put(made[0], Div(SliceAxis(sums, 3, AxisRange(0, width)), sum)), p.put(made[1], Add(top, Log(sum)))}
	})
	return inFrames(made[0], heads), inFrames(made[1], heads)
}

// largest is the largest score of every query. Sixteen runs side by side are compared in
// one pass; the barrier keeps XLA from doing so again for every score.
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
	return OptimizationBarrier(scores)
}

// backwardInParts is backwardAtOnce in parts. Scores lie transposed, [1, heads, S, queries]:
// two of the three products with them then need no transposition.
func backwardInParts(g attendGiven, size partSize) []*Node {
	heads := g.q.Shape().Dim(1)
	given := []*Node{g.q, g.k, g.v, g.logs, g.dy, g.along()}
	for i := range given {
		given[i] = inFrames(given[i], size.heads)
	}
	begun := []*Node{given[4], given[4], given[4]} // any numbers of this shape, at hand just now
	made := inParts(given[0], size.queries, given, begun, func(p part, given, made []*Node) []*Node {
		q, k, v, logs := p.of(given[0]), p.frameOf(given[1]), p.frameOf(given[2]), p.of(given[3])
		dy, along := p.fresh(p.of(given[4])), p.fresh(p.of(given[5]))
		w := Exp(Sub(dotHeads(k, 3, q, 3), turned(logs)))
		ds := Mul(w, Sub(dotHeads(v, 3, dy, 3), turned(along)))
		return []*Node{
			p.putFresh(made[0], turned(dotHeads(turned(k), 3, ds, 2))),
			p.addToFrame(made[1], dotHeads(ds, 3, q, 2)),
			p.addToFrame(made[2], dotHeads(w, 3, dy, 2)),
		}
	})
	for i := range made {
		made[i] = inFrames(made[i], heads)
	}
	return made
}

// part is some queries of a frame inside the loop. The last one of a frame begins early
// enough to be whole; with even there is no such overlap.
type part struct {
	frame, from, regular *Node // int32 []; regular is where it would begin without that
	width                int
	even, single         bool // single: all queries of the frame
	constants
}

// constants are what parts need: int32 [] zero, one, size, last (where the last part of a
// frame begins), end and frames; and places 0, 1, … int32 [1, 1, size, 1].
type constants struct{ zero, one, size, last, end, frames, places *Node }

// of is the part of x [F, N, S, …].
func (p part) of(x *Node) *Node {
	d := x.Shape().Dimensions
	return DynamicSlice(x, p.start(), []int{1, d[1], p.width, d[3]})
}

// put is x with y in the place of the part.
func (p part) put(x, y *Node) *Node { return DynamicUpdateSlice(x, y, p.start()) }

func (p part) start() []*Node { return []*Node{p.frame, p.zero, p.from, p.zero} }

// frameOf is the part's whole frame of x.
func (p part) frameOf(x *Node) *Node {
	d := x.Shape().Dimensions
	return DynamicSlice(x, p.frameStart(), []int{1, d[1], d[2], d[3]})
}

// addToFrame is x with y added to the part's whole frame, or in its place if the part is
// the frame's first.
func (p part) addToFrame(x, y *Node) *Node {
	if !p.single {
		first := BroadcastToDims(Equal(p.regular, p.zero), y.Shape().Dimensions...)
		y = Where(first, y, Add(p.frameOf(x), y))
	}
	return DynamicUpdateSlice(x, y, p.frameStart())
}

func (p part) frameStart() []*Node { return []*Node{p.frame, p.zero, p.zero, p.zero} }

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

// inParts calls step for all parts of q [F, N, S, K], one after the other, with the nodes
// that are given and what has been made so far, begun at first, and returns what is made
// in the end.
func inParts(q *Node, size int, given, begun []*Node, step func(p part, given, made []*Node) []*Node) []*Node {
	g, s := q.Graph(), q.Shape().Dim(2)
	number := func(n int) *Node { return Scalar(g, dtypes.Int32, n) }
	consts := []*Node{number(0), number(1), number(size), number(s - size), number(s), number(q.Shape().Dim(0)),
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
		p = part{frame: in[0], regular: in[1], width: size, even: s%size == 0, single: s == size,
			constants: constants{c[0], c[1], c[2], c[3], c[4], c[5], c[6]}}
		p.from = Min(p.regular, p.last)
		return p, stays, stays[len(consts):], made
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		p, _, _, _ := read(g)
		return []*Node{LessThan(p.frame, p.frames)}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		p, stays, given, made := read(g)
		next := Add(p.regular, p.size)
		done := GreaterOrEqual(next, p.end)
		return slices.Concat([]*Node{Where(done, Add(p.frame, p.one), p.frame), Where(done, p.zero, next)},
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
