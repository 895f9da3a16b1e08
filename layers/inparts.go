package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Attention over the tokens of a volume has too many scores to keep: 4,352 tokens of
// three frames and four heads have 227 million. On XLA it takes queries in parts, in a
// loop, each against all keys, so that the softmax of a part is exact by itself; the
// backward pass goes through the same parts and computes their softmax again.
//
// Inside a loop there are no reductions: go-xla v0.4.1 keeps the function of a reduction
// for the whole program, and it may be used only where it was made first. The sum over
// keys is a product with ones, and maxima are taken by halves. For a like reason (gomlx keeps
// scalars for the whole graph) constants are made outside and handed in.

const (
	// manyScores is the number of scores of a layer from where on they are taken in
	// parts, and partScores about that of a part.
	manyScores = 128 << 20
	partScores = 8 << 20
)

// attendInParts is softmaxDot of q, k, v [F, N, S, K] in parts of size queries.
func attendInParts(q, k, v *Node, size int) *Node {
	var y, logs *Node // of the forward pass
	out, fused := InternalFusedOpCaller(
		func() *Node {
			y, logs = forwardInParts(q, k, v, size)
			return y
		},
		func() *Node {
			return adjointPath(stack(q, k, v), q.Shape(), func(again, dy *Node) *Node {
				if again != nil { // what is computed again needs not be kept
					q, k, v := entry(again, 0), entry(again, 1), entry(again, 2)
					y, logs := forwardInParts(q, k, v, size)
					return stack(backwardInParts(q, k, v, y, logs, dy, size)...)
				}
				return stack(backwardInParts(q, k, v, y, logs, dy, size)...)
			})
		}, true)
	if !fused {
		return softmaxDot(q, k, v, nil)
	}
	return out
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

// partOf is the number of queries of a part for q [F, N, S, K], or 0 if all are taken
// at once.
func partOf(q *Node) int {
	d := q.Shape().Dimensions
	if n := QueriesAtOnce(d[0], d[1], d[2]); n < d[2] && !onGo(q.Graph()) {
		return n
	}
	return 0
}

// QueriesAtOnce is how many of its queries each frame and head takes at a time in the
// attention over space, on XLA: all tokens, or fewer where there are very many.
func QueriesAtOnce(frames, heads, tokens int) int {
	perQuery := frames * heads * tokens
	if perQuery*tokens < manyScores {
		return tokens
	}
	return min(max(partScores/perQuery, 16), tokens)
}

// forwardInParts is the loop of the forward pass. It also returns the logarithm of every
// query's sum of exponentials, [F, N, S, 1].
func forwardInParts(q, k, v *Node, size int) (y, logs *Node) {
	width := v.Shape().Dim(3)
	v = withOnes(v) // the sum of exponentials is one more column of the product
	begun := []*Node{ZerosLike(q), ZerosLike(SliceAxis(q, 3, AxisElem(0)))}
	made := inParts(q, size, []*Node{q, k, v}, begun, func(part part, given, made []*Node) []*Node {
		scores := dotHeads(part.of(given[0]), 3, given[1], 3)
		top := largest(scores)
		sums := dotHeads(Exp(Sub(scores, top)), 3, given[2], 2)
		sum := SliceAxis(sums, 3, AxisRange(width))
		return []*Node{part.put(made[0], Div(SliceAxis(sums, 3, AxisRange(0, width)), sum)), part.put(made[1], Add(top, Log(sum)))}
	})
	return made[0], made[1]
}

// largest is the largest score of every query, [F, N, size, 1].
func largest(scores *Node) *Node {
	for n := scores.Shape().Dim(3); n > 1; n = scores.Shape().Dim(3) {
		half := (n + 1) / 2
		scores = Max(SliceAxis(scores, 3, AxisRange(0, half)), SliceAxis(scores, 3, AxisRange(n-half)))
	}
	return scores
}

// dotHeads is the product of a and b over axis i of a and j of b, for each frame and head.
func dotHeads(a *Node, i int, b *Node, j int) *Node {
	return DotGeneral(a, []int{i}, []int{0, 1}, b, []int{j}, []int{0, 1})
}

// backwardInParts returns the gradients of q, k and v for dy, that of y. With weights
// p = exp(q·kᵀ − logs), which are computed again,
//
//	dv = pᵀ·dy,  ds = p·(dy·vᵀ − Σ dy·y),  dq = ds·k,  dk = dsᵀ·q
func backwardInParts(q, k, v, y, logs, dy *Node, size int) []*Node {
	along := ReduceAndKeep(Mul(dy, y), ReduceSum, -1)
	zero := []*Node{ZerosLike(q), ZerosLike(k), ZerosLike(v)}
	return inParts(q, size, []*Node{q, k, v, logs, dy, along}, zero, func(part part, given, made []*Node) []*Node {
		q, k, v, logs := part.of(given[0]), given[1], given[2], part.of(given[3])
		dy, along := part.fresh(given[4]), part.fresh(given[5])
		p := Exp(Sub(dotHeads(q, 3, k, 3), logs))
		ds := Mul(p, Sub(dotHeads(dy, 3, v, 3), along))
		dq := dotHeads(ds, 3, k, 2)
		return []*Node{
			part.put(made[0], Add(part.of(made[0]), dq)),
			Add(made[1], dotHeads(ds, 2, q, 2)),
			Add(made[2], dotHeads(p, 2, dy, 2)),
		}
	})
}

// part is a part of the queries inside the loop. The last one begins early enough to be
// whole.
type part struct {
	from, regular *Node // int32 []
	width         int
	constants
}

// constants are what parts need: int32 [] zero, size, last (where the last part begins)
// and end; and places 0, 1, … int32 [1, 1, size, 1].
type constants struct{ zero, size, last, end, places *Node }

// constantsOf makes them for parts of size queries of q [F, N, S, K].
func constantsOf(q *Node, size int) []*Node {
	g, s := q.Graph(), q.Shape().Dim(2)
	number := func(n int) *Node { return Scalar(g, dtypes.Int32, n) }
	return []*Node{number(0), number(size), number(s - size), number(s),
		Iota(g, shapes.Make(dtypes.Int32, 1, 1, size, 1), 2)}
}

// of is the part of x [F, N, S, K].
func (p part) of(x *Node) *Node {
	d := x.Shape().Dimensions
	return DynamicSlice(x, p.start(), []int{d[0], d[1], p.width, d[3]})
}

// put is x with y in the place of the part.
func (p part) put(x, y *Node) *Node { return DynamicUpdateSlice(x, y, p.start()) }

func (p part) start() []*Node { return []*Node{p.zero, p.zero, p.from, p.zero} }

// fresh is the part of x, and 0 for queries that an earlier part had.
func (p part) fresh(x *Node) *Node {
	if x.Shape().Dim(2)%p.width == 0 {
		return p.of(x)
	}
	fresh := ConvertDType(GreaterOrEqual(Add(p.places, p.from), p.regular), x.DType())
	return Mul(p.of(x), fresh)
}

// inParts calls step for all parts of q, one after the other, with the nodes that are
// given and what has been made so far, begun at first, and returns what is made in the
// end.
func inParts(q *Node, size int, given, begun []*Node, step func(p part, given, made []*Node) []*Node) []*Node {
	g, consts := q.Graph(), constantsOf(q, size)
	state := slices.Concat([]*Node{consts[0]}, consts, given, begun)
	// read declares the state in a function.
	read := func(g *Graph) (p part, stays, given, made []*Node) {
		in := make([]*Node, len(state))
		for i, n := range state {
			in[i] = Parameter(g, fmt.Sprintf("state %d", i), n.Shape())
		}
		c := in[1 : 1+len(consts)]
		p = part{regular: in[0], width: size, constants: constants{c[0], c[1], c[2], c[3], c[4]}}
		first := len(state) - len(begun)
		return p, in[1:first], in[1+len(consts) : first], in[first:]
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		p, _, _, _ := read(g)
		return []*Node{LessThan(p.regular, p.end)}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		p, stays, given, made := read(g)
		p.from = Min(p.regular, p.last)
		return slices.Concat([]*Node{Add(p.regular, p.size)}, stays, step(p, given, made))
	})
	return While(more, body, state...)[len(state)-len(begun):]
}
