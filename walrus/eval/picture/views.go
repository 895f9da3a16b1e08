package picture

import (
	"fmt"
	"slices"
)

// view is a 2D picture of a field on a grid of two or three axes.
type view struct {
	name string
	h, w int
	// projects says that the picture is the projection.
	projects bool
	// of returns the picture of values. magnitude projects their magnitudes.
	of func(values []float32, magnitude bool) []float32
}

// views returns the pictures of a grid: of two axes the field itself; of three axes the
// planes in the middle of each axis and the projection along the last axis.
func views(grid []int, axes []string) []view {
	if len(grid) == 2 {
		return []view{{"", grid[0], grid[1], false, func(values []float32, _ bool) []float32 { return values }}}
	}
	var out []view
	for k, name := range axes {
		rest := [3][2]int{{1, 2}, {0, 2}, {0, 1}}[k]
		at := grid[k] / 2
		out = append(out, view{fmt.Sprintf("%s = %d", name, at), grid[rest[0]], grid[rest[1]], false,
			func(values []float32, _ bool) []float32 { return slice(values, grid, k, at) }})
	}
	return append(out, view{"max along " + axes[2], grid[0], grid[1], true,
		func(values []float32, magnitude bool) []float32 { return project(values, grid[2], magnitude) }})
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

// project returns the maximum along the last axis, of length depth: of the values, or of
// their magnitudes.
func project(values []float32, depth int, magnitude bool) []float32 {
	out := make([]float32, len(values)/depth)
	for i := range out {
		along := values[i*depth : (i+1)*depth]
		out[i] = slices.Max(along)
		if magnitude {
			out[i] = max(out[i], -slices.Min(along))
		}
	}
	return out
}
