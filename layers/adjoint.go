package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// linear returns the linear map f of x, whose values have the given shape, with its
// adjoint written out: gradients flow through adjoint(v), and f is not differentiated.
func linear(x *Node, shape shapes.Shape, f, adjoint func(*Node) *Node) *Node {
	y, fused := InternalFusedOpCaller(
		func() *Node { return f(x) },
		func() *Node {
			return adjointPath([]*Node{x}, shape, func(v *Node) []*Node { return []*Node{adjoint(v)} })
		}, true)
	if !fused {
		return f(x)
	}
	return y
}

// adjointPath leads gradients of a result of the given shape to its inputs by a map of
// one's own. (gomlx takes derivatives of one's own for maps that keep the shape, no
// others; so what arrives is caught behind a path that only tells gomlx where it leads.
// Its values mean nothing: it is for the alternate of InternalFusedOpCaller.)
func adjointPath(inputs []*Node, shape shapes.Shape, adjoint func(v *Node) []*Node) *Node {
	var arrived *Node
	var gradients []*Node
	var sum *Node
	for i, x := range inputs {
		in := IdentityWithCustomGradient(x, func(_, _ *Node) *Node {
			if gradients == nil {
				gradients = adjoint(arrived)
			}
			return gradients[i]
		})
		sum = addTo(sum, ReduceAllSum(in))
	}
	path := BroadcastToDims(Reshape(sum), shape.Dimensions...)
	return IdentityWithCustomGradient(path, func(_, v *Node) *Node {
		arrived = v
		return ZerosLike(v)
	})
}
