package attend

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The loop over the parts of attention. gomlx creates scalars once per graph, and the
// functions of a loop may use only their arguments. Therefore constants are created outside
// the loop and passed to it.

// part is a number of queries of a group of heads inside the loop. The last part of a group
// starts early enough to have its full width, so it may overlap the part before it, unless
// even is set.
type part struct {
	group, from, regular *Node // int32 []; regular is the start without the overlap
	width                int
	even, single         bool // single: the part has all queries
	constants
}

// constants holds the constants of the loop: int32 [] zero, one, size, last (start of the
// last part of a group), end and groups; and places 0, 1, …, int32 [1, 1, size, 1].
type constants struct{ zero, one, size, last, end, groups, places *Node }

// of returns the part of x [B, groups, heads, S, …], with shape [B, heads, size, …].
func (p part) of(x *Node) *Node { return p.take(x, p.width, p.from) }

// put returns x with the part replaced by y.
func (p part) put(x, y *Node) *Node { return p.place(x, y, p.from) }

// groupOf returns all tokens of the part's group of x.
func (p part) groupOf(x *Node) *Node { return p.take(x, x.Shape().Dim(3), p.zero) }

// addToGroup returns x with y added to all tokens of the part's group; for the first part
// of a group, y replaces them.
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

// fresh returns x, a part, with 0 for queries that belong to an earlier part.
func (p part) fresh(x *Node) *Node {
	if p.even {
		return x
	}
	return Where(p.isFresh(x), x, BroadcastToDims(ConvertDType(p.zero, x.DType()), x.Shape().Dimensions...))
}

// putFresh is put, but keeps the values of x for queries that belong to an earlier part.
func (p part) putFresh(x, y *Node) *Node {
	if !p.even {
		y = Where(p.isFresh(y), y, p.of(x))
	}
	return p.put(x, y)
}

// isFresh reports, for every element of a part x, whether its query belongs to no earlier
// part.
func (p part) isFresh(x *Node) *Node {
	return BroadcastToDims(GreaterOrEqual(Add(p.places, p.from), p.regular), x.Shape().Dimensions...)
}

// inParts calls step for every part of size queries in sequence. step receives the part,
// given [B, groups, heads, S, …], and the results so far (initially begun), and
// returns the new results. inParts returns the results after the last part.
func inParts(size int, given, begun []*Node, step func(p part, given, made []*Node) []*Node) []*Node {
	g, groups, s := given[0].Graph(), given[0].Shape().Dim(1), given[0].Shape().Dim(3)
	number := func(n int) *Node { return Scalar(g, dtypes.Int32, n) }
	consts := []*Node{number(0), number(1), number(size), number(s - size), number(s), number(groups),
		Iota(g, shapes.Make(dtypes.Int32, 1, 1, size, 1), 2)}
	counters := []*Node{consts[0], consts[0]}
	state := slices.Concat(counters, consts, given, begun)
	// read declares the loop's state as parameters of a function.
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
