package jitter

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// flagLines holds the flags of one axis as functions of the position before the roll, so
// that they roll with the fields. On an axis that is not periodic, inside marks the points
// of the field, and closed and open mark the padding according to the condition at its end.
// The boundary channels follow from these flags (docs/reference.md §4, step 2):
//
//	bias correction  1 where every axis is inside, else 0
//	closed, open     the sum over the axes, up to 3 in a corner
//
// Periodic axes set no flags.
//
// zero is 1 at points that keep their value and 0 in the padding. It differs from inside
// only on an axis without padding; see lines.
type flagLines struct {
	inside, zero, closed, open func(p int) float64
}

// lines returns the flags of one axis. With the released stride of 8×4 and without jitter,
// an axis has no padding. The release's slice of the last 0 points is then the whole axis,
// which marks all of it as the high boundary. The weights were trained that way, so lines
// does the same (docs/reference.md §4, step 2).
func lines(a csm.Axis) flagLines {
	real := func(p int) bool { return p >= a.PadLow && p < a.PadLow+a.Length }
	inside := real
	low := func(p int) bool { return p < a.PadLow }
	high := func(p int) bool { return p >= a.PadLow+a.Length }
	if a.PadLow == 0 && a.PadHigh == 0 {
		inside = func(int) bool { return false }
		high = func(int) bool { return true }
	}
	side := func(bc data.BC) func(p int) float64 {
		return func(p int) float64 {
			return one(low(p) && a.Boundary.Low == bc) + one(high(p) && a.Boundary.High == bc)
		}
	}
	return flagLines{
		inside: func(p int) float64 { return one(inside(p)) },
		zero:   func(p int) float64 { return one(real(p)) },
		closed: side(data.Wall),
		open:   side(data.Open),
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// appendFlags sets the padding of the axes that are not periodic to 0 in y [F, H', W', D',
// C] and appends the three boundary channels.
func (j Jitterer) appendFlags(y *Node, axes [3]axis) *Node {
	g := y.Graph()
	dims := y.Shape().Clone().Dimensions
	dims[4] = 1
	flat := func(v float64) *Node { return BroadcastToDims(ConstAs(y, v), dims...) }
	keep, inside, closed, open := flat(1), flat(1), flat(0), flat(0)
	for i, a := range j.Plan.Axes {
		if a.Length == 1 || a.Wrap {
			continue
		}
		l := lines(a)
		along := func(fn func(p int) float64) *Node {
			v := make([]float64, a.Padded)
			for p := range v {
				v[p] = fn(p)
			}
			shape := []int{1, 1, 1, 1, 1}
			shape[1+i] = a.Padded
			rolled := Gather(ConvertDType(Const(g, v), y.DType()), ExpandAxes(axes[i].unrolled, -1))
			return Reshape(rolled, shape...)
		}
		keep, inside = Mul(keep, along(l.zero)), Mul(inside, along(l.inside))
		closed, open = Add(closed, along(l.closed)), Add(open, along(l.open))
	}
	return Concatenate([]*Node{Mul(y, keep), inside, closed, open}, 4)
}
