package jitter

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/csm"
)

// axis holds the index arithmetic of one axis as graph nodes, because the shift is an
// input.
type axis struct {
	// from [H'] holds, for each padded point, the point of the field from which it is
	// copied. Entries for points of zero padding are arbitrary. nil on a missing axis.
	from *Node
	// unrolled [H'] is the position of each padded point before the roll.
	unrolled *Node
	// back [H] is the padded point that holds each point of the field.
	back *Node
}

// axes returns the three axes for a shift [3]. For n points, padded to L points with l of
// the padding at the low end, and a shift s:
//
//	zero pads, roll of all:      place j was u = (j−s) mod L, value x[u−l]
//	Fixed, periodic:  roll x,    place j holds x[(j−l−s) mod n]
//	                  then pad
//	Padded, periodic: pad, then  place j was u = (j−s) mod L, value x[(u−l) mod n]
//	                  roll all
func (j Jitterer) axes(shift *Node) [3]axis {
	var out [3]axis
	for i, a := range j.Plan.Axes {
		if a.Length == 1 {
			continue
		}
		s := Reshape(SliceAxis(shift, 0, AxisElem(i)), 1)
		g := s.Graph()
		if a.Wrap && j.Mode != Padded {
			out[i].from = mod(Sub(line(g, a.Padded, func(p int) int { return floorMod(p-a.PadLow, a.Length) }), s), a.Length)
			out[i].back = AddScalar(mod(Add(line(g, a.Length, identity), s), a.Length), a.PadLow)
			continue
		}
		out[i].unrolled = mod(Sub(line(g, a.Padded, identity), s), a.Padded)
		out[i].from = Gather(line(g, a.Padded, source(a)), ExpandAxes(out[i].unrolled, -1))
		out[i].back = mod(Add(line(g, a.Length, func(p int) int { return p + a.PadLow }), s), a.Padded)
	}
	return out
}

// source returns a function from the unrolled padded points to the points they are copied
// from.
func source(a csm.Axis) func(p int) int {
	return func(p int) int {
		if a.Wrap {
			return floorMod(p-a.PadLow, a.Length)
		}
		return min(max(p-a.PadLow, 0), a.Length-1)
	}
}

func identity(p int) int { return p }

func floorMod(a, n int) int { return ((a % n) + n) % n }

// line returns the int32 constant [fn(0), …, fn(n−1)].
func line(g *Graph, n int, fn func(int) int) *Node {
	v := make([]int32, n)
	for i := range v {
		v[i] = int32(fn(i))
	}
	return Const(g, v)
}

// mod returns v mod n for −n ≤ v < 2n.
func mod(v *Node, n int) *Node {
	zero := Scalar(v.Graph(), dtypes.Int32, 0)
	v = Where(LessThan(v, zero), AddScalar(v, n), v)
	return Where(GreaterOrEqual(v, Scalar(v.Graph(), dtypes.Int32, n)), AddScalar(v, -n), v)
}
