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
// for the whole program, and it may be used only where it was made first. Sums over keys
// are products with ones, and maxima are taken by halves. For a like reason (gomlx keeps
// scalars for the whole graph) constants are made outside and handed in.

const (
	// manyScores is the number of scores of a layer from where on they are taken in
	// parts, and partScores about that of a part.
	manyScores = 64 << 20
	partScores = 8 << 20
)

// attendInParts is softmaxDot of q, k, v [F, N, S, K] in parts of size queries.
func attendInParts(q, k, v *Node, size int) *Node {
	y, fused := InternalFusedOpCaller(
		func() *Node { return forwardInParts(q, k, v, size) },
		func() *Node {
			return adjointPath([]*Node{q, k, v}, q.Shape(), func(v0 *Node) []*Node { return backwardInParts(q, k, v, v0, size) })
		},
		true)
	if !fused {
		return softmaxDot(q, k, v, nil)
	}
	return y
}

// partOf is the number of queries of a part for q [F, N, S, K], or 0 if all are taken
// at once.
func partOf(q *Node) int {
	d := q.Shape().Dimensions
	perQuery := d[0] * d[1] * d[2]
	if onGo(q.Graph()) || perQuery*d[2] < manyScores {
		return 0
	}
	return min(max(partScores/perQuery, 16), d[2])
}

// forwardInParts is the loop of the forward pass.
func forwardInParts(q, k, v *Node, size int) *Node {
	return inParts(q, size, []*Node{q, k, v}, []*Node{ZerosLike(q)}, func(part part, given, made []*Node) []*Node {
		e := exponentials(part.of(given[0]), given[1])
		return []*Node{part.put(made[0], Div(dotHeads(e, 3, given[2], 2), part.sumKeys(e)))}
	})[0]
}

// exponentials are those of the scores of q [F, N, size, K] for all keys, less the
// largest of every query, [F, N, size, S].
func exponentials(q, k *Node) *Node {
	scores := dotHeads(q, 3, k, 3)
	top := scores
	for n := top.Shape().Dim(3); n > 1; n = top.Shape().Dim(3) {
		half := (n + 1) / 2
		top = Max(SliceAxis(top, 3, AxisRange(0, half)), SliceAxis(top, 3, AxisRange(n-half)))
	}
	return Exp(Sub(scores, top))
}

// dotHeads is the product of a and b over axis i of a and j of b, for each frame and head.
func dotHeads(a *Node, i int, b *Node, j int) *Node {
	return DotGeneral(a, []int{i}, []int{0, 1}, b, []int{j}, []int{0, 1})
}

// backwardInParts returns the gradients of q, k and v for the gradient of the result.
func backwardInParts(q, k, v, result *Node, size int) []*Node {
	zero := []*Node{ZerosLike(q), ZerosLike(k), ZerosLike(v)}
	return inParts(q, size, []*Node{q, k, v, result}, zero, func(part part, given, made []*Node) []*Node {
		q, k, v, dy := part.of(given[0]), given[1], given[2], Mul(part.of(given[3]), part.fresh())
		e := exponentials(q, k)
		p := Div(e, part.sumKeys(e))
		dp := dotHeads(dy, 3, v, 3)
		ds := Mul(p, Sub(dp, part.sumKeys(Mul(p, dp))))
		return []*Node{
			part.put(made[0], Add(part.of(made[0]), dotHeads(ds, 3, k, 2))),
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
// and end; places 0, 1, … int32 [1, 1, size, 1]; and ones [F, N, S, 1].
type constants struct{ zero, size, last, end, places, ones *Node }

// constantsOf makes them for parts of size queries of q [F, N, S, K].
func constantsOf(q *Node, size int) []*Node {
	g, d := q.Graph(), q.Shape().Dimensions
	number := func(n int) *Node { return Scalar(g, dtypes.Int32, n) }
	return []*Node{number(0), number(size), number(d[2] - size), number(d[2]),
		Iota(g, shapes.Make(dtypes.Int32, 1, 1, size, 1), 2), Ones(g, shapes.Make(q.DType(), d[0], d[1], d[2], 1))}
}

// of is the part of x [F, N, S, K].
func (p part) of(x *Node) *Node {
	d := x.Shape().Dimensions
	return DynamicSlice(x, p.start(), []int{d[0], d[1], p.width, d[3]})
}

// put is x with y in the place of the part.
func (p part) put(x, y *Node) *Node { return DynamicUpdateSlice(x, y, p.start()) }

func (p part) start() []*Node { return []*Node{p.zero, p.zero, p.from, p.zero} }

// fresh is 1 for queries that no earlier part had, else 0, [1, 1, size, 1].
func (p part) fresh() *Node {
	return ConvertDType(GreaterOrEqual(Add(p.places, p.from), p.regular), p.ones.DType())
}

// sumKeys is the sum over the last axis of x [F, N, size, S], which it keeps.
func (p part) sumKeys(x *Node) *Node { return dotHeads(x, 3, p.ones, 2) }

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
		p = part{regular: in[0], width: size, constants: constants{c[0], c[1], c[2], c[3], c[4], c[5]}}
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
