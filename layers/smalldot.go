package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// This file holds products of small matrices on gomlx's pure Go backend. Below smallDot
// multiplications the backend uses kernels that lose some hundred cycles wherever they go
// from vector to scalar instructions. If the contracted axis is the last one of both
// matrices, a kernel does so for every number of the result; otherwise for every row of
// the second matrix, unless its width is a multiple of the vector's. So pairDot transposes
// operands into the second form and pads widths.

const (
	// smallDot is the number of multiplications below which the backend calls a product
	// small.
	smallDot = 4 << 20
	// vector is the widest vector of the backend, in float32.
	vector = 16
	// narrowDot is the width of a result up to which padding costs more than it saves.
	narrowDot = 7
)

// isSmall reports whether [pairDot] computes a product of the given size faster than
// DotGeneral. x is any operand.
func isSmall(x *Node, rows, k, columns int) bool {
	return ownForms(x) && columns > narrowDot && rows*k*columns < smallDot
}

// pairDot returns the product of the matrices in the last two axes of a and b, contracted
// over axis i of a and j of b, -1 or -2, for each entry of the leading axes. Small
// products have no gradient: it serves inside [withAdjoint].
func pairDot(a *Node, i int, b *Node, j int) *Node {
	rows, k, columns := a.Shape().Dim(-3-i), a.Shape().Dim(i), b.Shape().Dim(-3-j)
	lead := a.Shape().Clone().Dimensions[:a.Rank()-2]
	merged := func(x *Node) *Node { return Reshape(x, -1, x.Shape().Dim(-2), x.Shape().Dim(-1)) }
	a, b = merged(a), merged(b)
	small := isSmall(a, rows, k, columns)
	if small && i == -2 {
		a, i = TransposeAllDims(a, 0, 2, 1), -1
	}
	if small && j == -1 {
		b, j = TransposeAllDims(b, 0, 2, 1), -2
	}
	if small {
		b = padAxis(b, 2, 0, (vector-columns%vector)%vector)
	}
	y := DotGeneral(a, []int{3 + i}, []int{0}, b, []int{3 + j}, []int{0})
	if y.Shape().Dim(-1) > columns {
		y = SliceAxis(y, 2, AxisRange(0, columns))
	}
	return Reshape(y, append(lead, rows, columns)...)
}

// smallLastDot is [lastDot] of a small product.
func smallLastDot(x, weight *Node) *Node {
	out, in := weight.Shape().Dim(0), weight.Shape().Dim(1)
	shape := x.Shape().Clone()
	shape.Dimensions[shape.Rank()-1] = out
	rows := func(x *Node, width int) *Node { return Reshape(x, -1, width) }
	return withAdjoint(x, []*Node{weight}, shape, func() *Node {
		return Reshape(pairDot(rows(x, in), -1, weight, -1), shape.Dimensions...)
	}, func(x, dy *Node) []*Node {
		dx := pairDot(rows(dy, out), -1, weight, -2)
		dw := pairDot(rows(dy, out), -2, rows(x, in), -2)
		return []*Node{Reshape(dx, x.Shape().Dimensions...), dw}
	})
}

// scoresDot returns q·kᵀ over the last axes, for each entry of the leading axes, on the Go
// backend.
func scoresDot(q, k *Node) *Node {
	rows, width, columns := q.Shape().Dim(-2), q.Shape().Dim(-1), k.Shape().Dim(-2)
	if !isSmall(q, rows, width, columns) {
		return pairDot(q, -1, k, -1)
	}
	shape := q.Shape().Clone()
	shape.Dimensions[shape.Rank()-1] = columns
	return withAdjoint(q, []*Node{k}, shape, func() *Node { return pairDot(q, -1, k, -1) },
		func(q, dy *Node) []*Node {
			return []*Node{pairDot(dy, -1, k, -2), pairDot(dy, -2, q, -2)}
		})
}
