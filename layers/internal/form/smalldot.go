package form

import (
	"slices"

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

// IsSmall reports whether [PairDot] computes a product of the given size faster than
// DotGeneral. x is any operand.
func IsSmall(x *Node, rows, k, columns int) bool {
	return OwnForms(x) && columns > narrowDot && rows*k*columns < smallDot
}

// PairDot computes [BatchDot]. Small products have no gradient, so pairDot may be used only
// inside [WithAdjoint].
func PairDot(a *Node, i int, b *Node, j int) *Node {
	rows, k, columns := a.Shape().Dim(-3-i), a.Shape().Dim(i), b.Shape().Dim(-3-j)
	lead := a.Shape().Clone().Dimensions[:a.Rank()-2]
	merged := func(x *Node) *Node {
		rows, columns := x.Shape().Dim(-2), x.Shape().Dim(-1)
		return withDims(x, x.Shape().Size()/(rows*columns), rows, columns)
	}
	a, b = merged(a), merged(b)
	small := IsSmall(a, rows, k, columns)
	if small && i == -2 {
		a, i = TransposeAllDims(a, 0, 2, 1), -1
	}
	if small && j == -1 {
		b, j = TransposeAllDims(b, 0, 2, 1), -2
	}
	if small {
		b = Padded(b, 2, 0, (vector-columns%vector)%vector)
	}
	y := BatchDot(a, i, b, j)
	if y.Shape().Dim(-1) > columns {
		y = SliceAxis(y, 2, AxisRange(0, columns))
	}
	return withDims(y, append(lead, rows, columns)...)
}

// withDims is Reshape without a node for a shape that x already has. A forecast computes
// several products per frame and block, and each node takes memory as long as the program.
func withDims(x *Node, dims ...int) *Node {
	if slices.Equal(x.Shape().Dimensions, dims) {
		return x
	}
	return Reshape(x, dims...)
}

// smallLastDot computes [LastDot] of a small product.
func smallLastDot(x, weight *Node) *Node {
	out, in := weight.Shape().Dim(0), weight.Shape().Dim(1)
	dims := append(x.Shape().Clone().Dimensions[:x.Rank()-1], out)
	rows := func(x *Node, width int) *Node { return withDims(x, 1, x.Shape().Size()/width, width) }
	return WithAdjointAlong(x, []*Node{weight}, func(x *Node, weights []*Node) *Node {
		return RowsDot(x, weights[0])
	}, func() *Node {
		return withDims(PairDot(rows(x, in), -1, weight, -1), dims...)
	}, func(x, dy *Node) []*Node {
		dx := PairDot(rows(dy, out), -1, weight, -2)
		dw := PairDot(rows(dy, out), -2, rows(x, in), -2)
		return []*Node{withDims(dx, x.Shape().Dimensions...), withDims(dw, out, in)}
	})
}

// ScoresDot returns q·kᵀ over the last axes for each entry of the leading axes, on the Go
// backend.
func ScoresDot(q, k *Node) *Node {
	rows, width, columns := q.Shape().Dim(-2), q.Shape().Dim(-1), k.Shape().Dim(-2)
	if !IsSmall(q, rows, width, columns) {
		return PairDot(q, -1, k, -1)
	}
	return WithAdjointAlong(q, []*Node{k}, func(q *Node, k []*Node) *Node { return BatchDot(q, -1, k[0], -1) },
		func() *Node { return PairDot(q, -1, k, -1) },
		func(q, dy *Node) []*Node {
			return []*Node{PairDot(dy, -1, k, -2), PairDot(dy, -2, q, -2)}
		})
}
