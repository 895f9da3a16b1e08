package poseidon

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Windows divides the token grid into square windows. Tokens attend to the tokens of their
// window only.
type Windows struct {
	// Size is the edge length of a window, Shift the distance by which the windows are
	// shifted along both axes.
	Size, Shift int
}

// padded returns the token grid with rows and columns added so that windows fit.
func (w Windows) padded(grid [2]int) [2]int {
	for a, n := range grid {
		grid[a] = (n + w.Size - 1) / w.Size * w.Size
	}
	return grid
}

// Split returns the windows of x [B, h, w, D], shape [B, windows, Size², D]. It adds zeros
// below and to the right, which attention does not mask, and rolls the grid by −Shift.
func (w Windows) Split(x *Node) *Node {
	d := x.Shape().Clone().Dimensions
	grid := w.padded([2]int{d[1], d[2]})
	for a := range grid {
		x = padEnd(x, 1+a, grid[a])
		x = roll(x, 1+a, -w.Shift)
	}
	x = Reshape(x, d[0], grid[0]/w.Size, w.Size, grid[1]/w.Size, w.Size, d[3])
	return Reshape(TransposeAllDims(x, 0, 1, 3, 2, 4, 5), d[0], -1, w.Size*w.Size, d[3])
}

// Merge is the inverse of [Windows.Split] for a token grid h, w.
func (w Windows) Merge(x *Node, grid [2]int) *Node {
	batch, width, full := x.Shape().Dim(0), x.Shape().Dim(-1), w.padded(grid)
	x = Reshape(x, batch, full[0]/w.Size, full[1]/w.Size, w.Size, w.Size, width)
	x = Reshape(TransposeAllDims(x, 0, 1, 3, 2, 4, 5), batch, full[0], full[1], width)
	for a := range grid {
		x = roll(x, 1+a, w.Shift)
		x = cropEnd(x, 1+a, grid[a])
	}
	return x
}

// masked is the bias of two tokens of a shifted window that are not neighbours on the grid:
// the window continues at the other end of the grid. The original adds its −100 twice.
const masked = -200

// Mask returns the bias of every pair of tokens of each window, [windows, Size², Size²], or
// nil if the windows are not shifted. It is 0 for two tokens of the same region of the
// grid and −200 otherwise.
func (w Windows) Mask(g *Graph, grid [2]int, dtype dtypes.DType) *Node {
	if w.Shift == 0 {
		return nil
	}
	full := w.padded(grid)
	var regions [][]int32
	for top := 0; top < full[0]; top += w.Size {
		for left := 0; left < full[1]; left += w.Size {
			ids := make([]int32, 0, w.Size*w.Size)
			for r := range w.Size {
				for c := range w.Size {
					ids = append(ids, int32(3*w.region(top+r, full[0])+w.region(left+c, full[1])))
				}
			}
			regions = append(regions, ids)
		}
	}
	ids := Const(g, regions)
	n, s := ids.Shape().Dim(0), w.Size*w.Size
	dims := []int{n, s, s}
	apart := NotEqual(BroadcastToDims(ExpandAxes(ids, 2), dims...), BroadcastToDims(ExpandAxes(ids, 1), dims...))
	shape := shapes.Make(dtype, dims...)
	return Where(apart, FillScalar(g, shape, masked), Zeros(g, shape))
}

// region returns which part of an axis of n tokens position i belongs to after the roll: 0
// all windows but the last, 1 the part of the last one that stayed in place, 2 the part that
// came from the other end.
func (w Windows) region(i, n int) int {
	switch {
	case i < n-w.Size:
		return 0
	case i < n-w.Shift:
		return 1
	}
	return 2
}

// coordinates returns the input of the position bias for every offset of two tokens in a
// window, [(2·size−1)², 2], rows first: offsets a from 1−size to size−1 as
// sign(a)·log₂(8|a|/(size−1) + 1)/3.
func coordinates(size int) [][]float64 {
	var out [][]float64
	at := func(a int) float64 {
		u := 8 * float64(a) / float64(size-1)
		return math.Copysign(math.Log2(math.Abs(u)+1)/3, u)
	}
	for r := 1 - size; r < size; r++ {
		for c := 1 - size; c < size; c++ {
			out = append(out, []float64{at(r), at(c)})
		}
	}
	return out
}

// offsets returns, for every query and key of a window, the row of [coordinates] that holds
// their offset: [size⁴, 1].
func offsets(size int) [][]int32 {
	n := size * size
	out := make([][]int32, 0, n*n)
	for q := range n {
		for k := range n {
			row, column := q/size-k/size+size-1, q%size-k%size+size-1
			out = append(out, []int32{int32(row*(2*size-1) + column)})
		}
	}
	return out
}

// roll moves x along an axis cyclically by the given number of tokens.
func roll(x *Node, axis, by int) *Node {
	n := x.Shape().Dim(axis)
	by = (by%n + n) % n
	if by == 0 {
		return x
	}
	return Concatenate([]*Node{SliceAxis(x, axis, AxisRange(n-by)), SliceAxis(x, axis, AxisRange(0, n-by))}, axis)
}

// pad adds zeros at both ends of an axis.
func pad(x *Node, axis, low, high int) *Node {
	zeros := func(n int) *Node {
		s := x.Shape().Clone()
		s.Dimensions[axis] = n
		return Zeros(x.Graph(), s)
	}
	parts := []*Node{x}
	if low > 0 {
		parts = []*Node{zeros(low), x}
	}
	if high > 0 {
		parts = append(parts, zeros(high))
	}
	if len(parts) == 1 {
		return x
	}
	return Concatenate(parts, axis)
}

// padEnd adds zeros at the end of an axis up to the given length.
func padEnd(x *Node, axis, length int) *Node { return pad(x, axis, 0, length-x.Shape().Dim(axis)) }

// cropEnd removes the end of an axis beyond the given length.
func cropEnd(x *Node, axis, length int) *Node {
	if x.Shape().Dim(axis) == length {
		return x
	}
	return SliceAxis(x, axis, AxisRange(0, length))
}
