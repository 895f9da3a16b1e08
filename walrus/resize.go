package walrus

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// Resize is the grid to which fields are interpolated before the network. Forecasts
// are interpolated back. 0 keeps the length of an axis; the zero value does nothing.
//
// The release resizes one data set, post_neutron_star_merger, because its strides do
// not support the last axis of 66 points; see [NeutronStarResize]. This library plans
// any length, so resizing is needed only to use the released strides on such a grid.
type Resize [3]int

// NeutronStarResize is the resizing of the release for post_neutron_star_merger: the
// last axis is interpolated from 66 to 64 points and back.
var NeutronStarResize = Resize{0, 0, 64}

// Grid returns the network's grid for a grid of fields. It returns a [*csm.GridError]
// if r resizes an axis that the grid does not have.
func (r Resize) Grid(grid []int) ([]int, error) {
	if len(grid) > len(r) {
		return nil, refuse(grid, -1, "resize %v: expected a grid of at most %d axes, got %v", r, len(r), grid)
	}
	for i, n := range r {
		if n < 0 || n != 0 && (i >= len(grid) || grid[i] == 1) {
			return nil, refuse(grid, i, "resize %v: axis %d of grid %v cannot become %d points", r, i, grid, n)
		}
	}
	out := slices.Clone(grid)
	for i := range out {
		out[i] = cmp.Or(r[i], out[i])
	}
	return out, nil
}

// Validate returns an error for negative numbers of points.
func (r Resize) Validate() error {
	for i, n := range r {
		if n < 0 {
			return fmt.Errorf("resize: axis %d: expected a number of points, or 0 to keep the axis, got %d", i, n)
		}
	}
	return nil
}

// To interpolates x [..., H, W, D] to the grid of the network.
func (r Resize) To(x *Node) *Node {
	for i, n := range r {
		if n != 0 {
			x = interpolate(x, x.Rank()-3+i, n)
		}
	}
	return x
}

// From interpolates y [..., h, w, d] back to the grid of the fields.
func (r Resize) From(y *Node, grid [3]int) *Node {
	for i, n := range r {
		if n != 0 {
			y = interpolate(y, y.Rank()-3+i, grid[i])
		}
	}
	return y
}

// interpolate interpolates x linearly along one axis from m to n cell centres
// ("align_corners false"): point i of n is at position (i+½)·m/n − ½ of the m given
// points, clamped to the first and the last.
func interpolate(x *Node, axis, n int) *Node {
	m := x.Shape().Dim(axis)
	if m == n {
		return x
	}
	weights := make([][]float32, n)
	for i := range weights {
		weights[i] = make([]float32, m)
		at := math.Max(0, (float64(i)+0.5)*float64(m)/float64(n)-0.5)
		lo := min(int(at), m-1)
		hi := min(lo+1, m-1)
		weights[i][lo] += float32(1 - (at - float64(lo)))
		weights[i][hi] += float32(at - float64(lo))
	}
	w := ConvertDType(Const(x.Graph(), weights), x.DType())
	y := DotGeneral(x, []int{axis}, nil, w, []int{1}, nil)
	order := make([]int, x.Rank())
	for a := range order {
		switch {
		case a < axis:
			order[a] = a
		case a == axis:
			order[a] = x.Rank() - 1
		default:
			order[a] = a - 1
		}
	}
	return TransposeAllDims(y, order...)
}
