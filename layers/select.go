package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// SelectColumns selects the entries ids (int32 [n]) along an axis of w. The model has one
// column for every field of its registry and uses those of the input's fields (paper §3.1,
// "sub-selected projection"). An id may repeat; its gradients then add up.
func SelectColumns(w, ids *Node, axis int) *Node {
	assertDims("SelectColumns ids", ids, -1)
	if axis > 0 && form.OnGo(w.Graph()) {
		return form.GatherRows(w, ids, axis)
	}
	return permuteFront(w, axis, func(x *Node) *Node { return Gather(x, ExpandAxes(ids, -1)) })
}

// permuteFront applies fn to x with the given axis moved to the front.
func permuteFront(x *Node, axis int, fn func(*Node) *Node) *Node {
	if axis == 0 {
		return fn(x)
	}
	order := []int{axis}
	for a := range x.Rank() {
		if a != axis {
			order = append(order, a)
		}
	}
	back := make([]int, len(order))
	for i, a := range order {
		back[a] = i
	}
	return TransposeAllDims(fn(TransposeAllDims(x, order...)), back...)
}

// SelectInput returns the columns of the encoder's first kernel w [Cout, states, k, k, k]
// for the channels ids [C+3], the last three of which are the boundary channels (bias
// correction, closed, open). The columns of the fields and of the bias correction are
// multiplied by sqrt((states−3)/C), so that a sum over few fields is as large as a sum over
// all. The columns of the other two are not (docs/reference.md §5).
func SelectInput(w, ids *Node) *Node {
	n := ids.Shape().Dim(0)
	must(n > 3, "SelectInput: expected at least one field and three flags, got %d ids", n)
	scale := sqrt(float64(w.Shape().Dim(1)-3) / float64(n-3))
	factors := make([]float64, n)
	for i := range factors {
		factors[i] = 1
		if i < n-2 {
			factors[i] = scale
		}
	}
	f := Reshape(ConstAs(w, factors), 1, n, 1, 1, 1)
	return Mul(SelectColumns(w, ids, 1), f)
}
