package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// linear returns the linear map f of x, whose values have the given shape, with its
// adjoint written out: gradients flow through adjoint(v), and f is not differentiated.
// (gomlx takes derivatives of one's own for maps that keep the shape, no others; so
// what arrives is caught behind a path that only tells gomlx where it leads.)
func linear(x *Node, shape shapes.Shape, f, adjoint func(*Node) *Node) *Node {
	y, _ := InternalFusedOpCaller(
		func() *Node { return f(x) },
		func() *Node {
			var arrived *Node
			in := IdentityWithCustomGradient(x, func(_, _ *Node) *Node { return adjoint(arrived) })
			path := BroadcastToDims(Reshape(ReduceAllSum(in)), shape.Dimensions...)
			return IdentityWithCustomGradient(path, func(_, v *Node) *Node {
				arrived = v
				return ZerosLike(v)
			})
		}, true)
	return y
}
