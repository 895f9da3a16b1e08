package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The loop over the parts of attention. gomlx keeps scalars for the whole graph, and
// functions of a loop may use only what they are given: constants are made outside and
// handed in.

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
