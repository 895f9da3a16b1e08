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
			return adjointPath(x, shape, func(_, v *Node) *Node { return adjoint(v) })
		}, true)
	if !fused {
		return f(x)
	}
	return y
}

// adjointPath leads gradients v of a result of the given shape to x by a map of one's
// own, adjoint(again, v), where again is x computed again if the backward pass does so,
// else nil. (gomlx takes derivatives of one's own for maps that keep the shape, no
// others; so what arrives is caught behind a path that only tells gomlx where it leads.
// Its values mean nothing: it is for the alternate of InternalFusedOpCaller.)
func adjointPath(x *Node, shape shapes.Shape, adjoint func(again, v *Node) *Node) *Node {
	var arrived, in *Node
	in = IdentityWithCustomGradient(x, func(again, _ *Node) *Node {
		if again == in {
			again = nil
		}
		return adjoint(again, arrived)
	})
	path := BroadcastToDims(Reshape(ReduceAllSum(in)), shape.Dimensions...)
	return IdentityWithCustomGradient(path, func(_, v *Node) *Node {
		arrived = v
		return v // so that what is computed again waits for it
	})
}
