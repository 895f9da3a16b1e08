package dpot

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Resize interpolates x [B, n…, C] linearly to the given number of points per spatial axis.
// Points are the centres of equal cells (torch's align_corners=False), values beyond the
// outermost points are constant, and nothing is smoothed when the grid becomes coarser.
func Resize(x *Node, grid []int) *Node {
	assertRank("Resize x [B, n…, C]", x, len(grid)+2)
	for a, n := range grid {
		x = resizeAxis(x, 1+a, n)
	}
	return x
}

// resizeAxis interpolates along one axis by a product with a matrix of weights.
func resizeAxis(x *Node, axis, to int) *Node {
	from := x.Shape().Dim(axis)
	if from == to {
		return x
	}
	y := DotGeneral(ConstAs(x, interpolation(from, to)), []int{1}, nil, x, []int{axis}, nil)
	order := make([]int, x.Rank()) // moves the first axis of y to its place
	for i := range order {
		switch {
		case i < axis:
			order[i] = i + 1
		case i > axis:
			order[i] = i
		}
	}
	return TransposeAllDims(y, order...)
}

// interpolation returns the matrix [to, from] of linear interpolation.
func interpolation(from, to int) [][]float64 {
	out := make([][]float64, to)
	for i := range out {
		out[i] = make([]float64, from)
		at := max(0, (float64(i)+0.5)*float64(from)/float64(to)-0.5)
		low := min(int(at), from-1)
		high := min(low+1, from-1)
		out[i][low] += 1 - (at - float64(low))
		out[i][high] += at - float64(low)
	}
	return out
}

// PadChannels appends channels of the constant 1 to x [..., C] up to the given number, as
// the original's data pipeline does for systems with fewer channels than the network.
func PadChannels(x *Node, channels int) *Node {
	missing := channels - x.Shape().Dim(-1)
	check(missing >= 0, "padding channels: expected at most %d, got shape %v", channels, x.Shape().Dimensions)
	if missing == 0 {
		return x
	}
	shape := x.Shape().Clone()
	shape.Dimensions[x.Rank()-1] = missing
	return Concatenate([]*Node{x, Ones(x.Graph(), shape)}, -1)
}
