package layers

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// Widen returns the weight w in the type to, for weights that are stored in a shorter type.
// scale [n], or nil, multiplies the entries along an axis of length n, for example the
// output channels of an int8 matrix:
//
//	y[…, c, …] = w[…, c, …]·scale[c]
//
// The conversion does not run before x is available, so that a program which passes the
// input of a layer as x holds the wide weights of one layer at a time. A nil x allows it at
// any time. Widen has no gradient.
func Widen(x, w, scale *Node, axis int, to dtypes.DType) *Node {
	if x != nil && w.DType() != to {
		w = form.Late(x, w)
	}
	if scale == nil {
		return ConvertDType(w, to)
	}
	must(axis >= 0 && axis < w.Rank(), "Widen: expected an axis of %s, got %d", w.Shape(), axis)
	assertDims("Widen scale", scale, w.Shape().Dim(axis))
	dims := make([]int, w.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[axis] = w.Shape().Dim(axis)
	return ConvertDType(Mul(ConvertDType(w, scale.DType()), Reshape(scale, dims...)), to)
}
