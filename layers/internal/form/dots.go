package form

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// WithOnes appends a column of ones to the last axis of x.
func WithOnes(x *Node) *Node {
	s := x.Shape().Clone()
	s.Dimensions[s.Rank()-1] = 1
	return Concatenate([]*Node{x, Ones(x.Graph(), s)}, -1)
}

// WithBias appends the bias [out] as a column to the weight [out, in], so that the product
// with [WithOnes] of x adds it.
func WithBias(weight, bias *Node) *Node {
	return Concatenate([]*Node{weight, ExpandAxes(bias, -1)}, 1)
}

// LastDot returns x·weightᵀ over the last axis, for weight [out, in].
func LastDot(x, weight *Node) *Node {
	out, in := weight.Shape().Dim(0), weight.Shape().Dim(1)
	if IsSmall(x, x.Shape().Size()/in, in, out) {
		return smallLastDot(x, weight)
	}
	return RowsDot(x, weight)
}

// RowsDot is lastDot in one node, for a product of any size.
func RowsDot(x, weight *Node) *Node {
	return DotGeneral(x, []int{x.Rank() - 1}, nil, weight, []int{1}, nil)
}

// MeanByDot returns the mean over the middle axis of x [F, S, C], with shape [F, 1, C].
func MeanByDot(x *Node) *Node {
	f, s := x.Shape().Dim(0), x.Shape().Dim(1)
	ones := Ones(x.Graph(), shapes.Make(x.DType(), f, 1, s))
	return DivScalar(DotGeneral(ones, []int{2}, []int{0}, x, []int{1}, []int{0}), float64(s))
}

// ScaleChannels multiplies x [F, space…, C] by factors [F, C].
func ScaleChannels(x, factors *Node) *Node { return Mul(x, spreadChannels(x, factors)) }

// ShiftChannels adds terms [F, C] to x [F, space…, C].
func ShiftChannels(x, terms *Node) *Node { return Add(x, spreadChannels(x, terms)) }

// spreadChannels returns values [F, C] with the shape of x [F, space…, C]. A product with a
// column of ones repeats them over space.
func spreadChannels(x, values *Node) *Node {
	f, c := values.Shape().Dim(0), values.Shape().Dim(1)
	ones := Ones(x.Graph(), shapes.Make(x.DType(), f, x.Shape().Size()/(f*c), 1))
	spread := DotGeneral(ones, []int{2}, []int{0}, Reshape(values, f, 1, c), []int{1}, []int{0})
	return Reshape(spread, x.Shape().Dimensions...)
}

// RepeatFirst repeats x [1, …] along its first axis. It returns x if it has that length
// already.
func RepeatFirst(x *Node, times int) *Node {
	if x.Shape().Dim(0) == times {
		return x
	}
	parts := make([]*Node, times)
	for i := range parts {
		parts[i] = x
	}
	return Concatenate(parts, 0)
}

// AddTo returns sum + x, or x if sum is nil.
func AddTo(sum, x *Node) *Node {
	if sum == nil {
		return x
	}
	return Add(sum, x)
}

// GatherRows computes SelectColumns by one gather of rows.
func GatherRows(w, ids *Node, axis int) *Node {
	d := w.Shape().Clone().Dimensions
	outer, n, count := 1, d[axis], ids.Shape().Dim(0)
	for _, m := range d[:axis] {
		outer *= m
	}
	inner := w.Shape().Size() / (outer * n)
	first := Iota(w.Graph(), shapes.Make(ids.DType(), outer, 1), 0)
	rows := Add(MulScalar(first, n), Reshape(ids, 1, count))
	d[axis] = count
	return Reshape(Gather(Reshape(w, outer*n, inner), Reshape(rows, outer*count, 1)), d...)
}

// AtLeastFloat32 converts x to float32 if its type is shorter. The softmax between the
// products is not computed in half precision.
func AtLeastFloat32(x *Node) *Node {
	if x.DType().IsHalfPrecision() {
		return ConvertDType(x, dtypes.Float32)
	}
	return x
}

// Stacked concatenates nodes of equal shape along a new first axis. entry is the inverse.
func Stacked(list ...*Node) *Node {
	parts := make([]*Node, len(list))
	for i, x := range list {
		parts[i] = ExpandAxes(x, 0)
	}
	return Concatenate(parts, 0)
}

func Entry(x *Node, i int) *Node { return Squeeze(SliceAxis(x, 0, AxisElem(i)), 0) }

// Padded adds zeros at both ends of an axis by concatenation: Pad is a tenth to a quarter
// slower on the Go backend and not measurably faster on XLA.
func Padded(x *Node, axis, low, high int) *Node {
	parts := []*Node{x}
	zeros := func(n int) *Node {
		s := x.Shape().Clone()
		s.Dimensions[axis] = n
		return Zeros(x.Graph(), s)
	}
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
