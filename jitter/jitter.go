package jitter

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/layers"
)

// Mode selects the kind of jitter.
type Mode int

const (
	// Fixed rolls a periodic axis by up to half its length and pads it afterwards. The
	// release uses it ("FixedPatchJittererBoundaryPad").
	Fixed Mode = iota
	// Padded pads first and rolls the padded axes by less than half a patch
	// ("PatchJittererBoundaryPad").
	Padded
	// Off pads without rolling. The plan must be made with NoJitter. A network with this mode
	// has no rolls between blocks either and is a deterministic function.
	Off
)

var modeNames = []string{"fixed", "padded", "off"}

// String returns "fixed", "padded" or "off".
func (m Mode) String() string { return enum.Name(modeNames, m) }

// MarshalText returns [Mode.String], or an error for an unknown value.
func (m Mode) MarshalText() ([]byte, error) { return enum.Text("jitter mode", modeNames, m) }

// UnmarshalText reads the text that MarshalText writes.
func (m *Mode) UnmarshalText(b []byte) error { return enum.Parse("jitter mode", modeNames, b, m) }

// Jitterer pads and rolls fields on the grid of its plan.
type Jitterer struct {
	Plan *csm.Plan
	Mode Mode
}

// Bounds returns the bound b of the shift along each axis, which is drawn from [−(b−1),
// b−1]. It is 0 if no shift is drawn (docs/reference.md §4, step 3), as without a plan.
func (j Jitterer) Bounds() [3]int {
	var out [3]int
	if j.Plan == nil {
		return out
	}
	for i, a := range j.Plan.Axes {
		switch {
		case j.Mode == Off || a.Length == 1 || a.Patch() <= 1:
		case j.Mode == Padded:
			out[i] = a.Patch() / 2
		default:
			out[i] = a.ShiftBound
		}
		out[i] = min(max(out[i], 0), 1<<30) // of a plan that is not NewPlan's
	}
	return out
}

// Draw draws the shift of the three axes in order.
func (j Jitterer) Draw(rng *rand.Rand) [3]int32 {
	var shift [3]int32
	for i, b := range j.Bounds() {
		if b > 1 {
			shift[i] = int32(rng.IntN(2*b-1) - (b - 1))
		}
	}
	return shift
}

// CheckShift returns an error if a shift exceeds its bounds.
func (j Jitterer) CheckShift(shift [3]int32) error {
	for i, b := range j.Bounds() {
		if limit := max(b-1, 0); int(shift[i]) < -limit || int(shift[i]) > limit {
			return fmt.Errorf("jitter: shift of axis %d: expected within ±%d, got %d", i, limit, shift[i])
		}
	}
	return nil
}

// Apply pads x [T, B, C, H, W, D], appends the three boundary channels (bias correction,
// closed, open; see flags.go) and rolls all channels by shift (int32 [3], out[i+s] =
// in[i]). It returns [T·B, H', W', D', C+3], channels last.
//
// shift may also be [T, 3], with one shift for each entry of the first axis.
//
// Each axis is one gather of the points from which the padded points are copied.
func (j Jitterer) Apply(x, shift *Node) *Node {
	if shift.Rank() == 2 {
		return each(x.Shape().Dim(0), func(i int) *Node { return j.Apply(SliceAxis(x, 0, AxisElem(i)), entry(shift, i)) })
	}
	grid := j.Plan.Grid()
	x.AssertDims(-1, -1, -1, grid[0], grid[1], grid[2])
	d := x.Shape().Dimensions
	y := Reshape(x, d[0]*d[1], d[2], d[3], d[4], d[5])
	y = TransposeAllDims(y, 0, 2, 3, 4, 1)
	axes := j.axes(shift)
	for i, a := range axes {
		if a.from != nil {
			y = layers.SelectColumns(y, a.from, 1+i)
		}
	}
	return j.appendFlags(y, axes)
}

// Invert undoes Apply for fields y [T·B, H', W', D', C] without boundary channels. It
// returns [T, B, C, H, W, D].
func (j Jitterer) Invert(y, shift *Node, steps, batch int) *Node {
	if shift.Rank() == 2 {
		return each(steps, func(i int) *Node {
			return j.Invert(SliceAxis(y, 0, AxisRange(i*batch, (i+1)*batch)), entry(shift, i), 1, batch)
		})
	}
	padded := j.Plan.PaddedGrid()
	y.AssertDims(steps*batch, padded[0], padded[1], padded[2], -1)
	for i, a := range j.axes(shift) {
		if a.back != nil {
			y = layers.SelectColumns(y, a.back, 1+i)
		}
	}
	d := y.Shape().Dimensions
	y = TransposeAllDims(y, 0, 4, 1, 2, 3)
	return Reshape(y, steps, batch, d[4], d[1], d[2], d[3])
}

// each concatenates the results of fn for n entries.
func each(n int, fn func(i int) *Node) *Node {
	parts := make([]*Node, n)
	for i := range parts {
		parts[i] = fn(i)
	}
	return Concatenate(parts, 0)
}

// entry returns the shift of entry i.
func entry(shift *Node, i int) *Node { return Squeeze(SliceAxis(shift, 0, AxisElem(i)), 0) }
