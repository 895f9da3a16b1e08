package picture

import (
	"fmt"
	"math"
)

// view is a 2D picture of a field on a grid of two or three axes.
type view struct {
	name string
	h, w int
	// of returns the picture of values. signed says that the values have both signs.
	of func(values []float32, signed bool) []float32
}

// views returns the pictures of a grid: of two axes the field itself; of three axes the
// planes in the middle of each axis and the projection along the last axis.
func views(grid []int, axes []string) []view {
	if len(grid) == 2 {
		return []view{{"", grid[0], grid[1], func(values []float32, _ bool) []float32 { return values }}}
	}
	var out []view
	for k, name := range axes {
		rest := [3][2]int{{1, 2}, {0, 2}, {0, 1}}[k]
		at := grid[k] / 2
		out = append(out, view{fmt.Sprintf("%s = %d", name, at), grid[rest[0]], grid[rest[1]],
			func(values []float32, _ bool) []float32 { return slice(values, grid, k, at) }})
	}
	return append(out, view{"max along " + axes[2], grid[0], grid[1],
		func(values []float32, signed bool) []float32 { return project(values, grid, signed) }})
}

// slice returns the plane of a 3D field at a position of one axis.
func slice(values []float32, grid []int, axis, at int) []float32 {
	n, from := [3]int{grid[0], grid[1], grid[2]}, [3]int{}
	n[axis], from[axis] = 1, at
	var out []float32
	for i := range n[0] {
		for j := range n[1] {
			for k := range n[2] {
				out = append(out, values[((from[0]+i)*grid[1]+from[1]+j)*grid[2]+from[2]+k])
			}
		}
	}
	return out
}

// project returns the maximum of a 3D field along the last axis. Of signed values it
// returns the one of largest magnitude, with its sign.
func project(values []float32, grid []int, signed bool) []float32 {
	depth := grid[2]
	out := make([]float32, grid[0]*grid[1])
	for i := range out {
		most := values[i*depth]
		for _, v := range values[i*depth+1 : (i+1)*depth] {
			if v > most && !signed || signed && math.Abs(float64(v)) > math.Abs(float64(most)) {
				most = v
			}
		}
		out[i] = most
	}
	return out
}
