package layers

import (
	"slices"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// withAdjoint returns f() with a hand-written backward pass. shape is the shape of f().
// adjoint receives x (recomputed if the backward pass recomputes it) and dy, the gradient
// of f(), and returns the gradients of x and of params, in that order.
func withAdjoint(x *Node, params []*Node, shape shapes.Shape, f func() *Node, adjoint func(again, dy *Node) []*Node) *Node {
	y, fused := InternalFusedOpCaller(f, func() *Node { return adjointPath(x, params, shape, adjoint) }, true)
	if !fused { // with GOMLX_FUSION=0 the caller returns the path, whose values are meaningless
		return f()
	}
	return y
}

// adjointPath returns a node of the given shape whose values are meaningless. It exists for its
// gradient: the backward pass calls adjoint with the gradient that arrives at the node, and
// passes the results on to x and params. (gomlx supports custom gradients only for functions
// of one input that preserve its shape. So the gradient is stored when it arrives and used
// where the path from the node ends at x and params.)
func adjointPath(x *Node, params []*Node, shape shapes.Shape, adjoint func(again, dy *Node) []*Node) *Node {
	var arrived *Node
	var made []*Node
	var path *Node
	add := func(x *Node) { path = addTo(path, Reshape(ReduceAllSum(x))) }
	for i, p := range params { // gradients are computed for nodes created last first: for x before params
		add(IdentityWithCustomGradient(p, func(_, _ *Node) *Node {
			if made == nil { // x needs no gradient
				made = adjoint(x, arrived)
			}
			return made[1+i]
		}))
	}
	add(IdentityWithCustomGradient(x, func(again, _ *Node) *Node {
		made = adjoint(again, arrived)
		return made[0]
	}))
	return IdentityWithCustomGradient(BroadcastToDims(path, shape.Dimensions...), func(_, dy *Node) *Node {
		arrived, made = dy, nil // of this backward pass; there may be another
		return dy               // makes recomputed nodes depend on dy
	})
}

// linear returns f(x) for a linear map f whose results have the given shape. adjoint
// computes its transpose.
func linear(x *Node, shape shapes.Shape, f, adjoint func(*Node) *Node) *Node {
	return withAdjoint(x, nil, shape, func() *Node { return f(x) },
		func(_, dy *Node) []*Node { return []*Node{adjoint(dy)} })
}

// split splits the last axis of x into parts of the given widths. Its backward pass
// concatenates the parts' gradients once; gradients of slices would be padded with zeros
// and added.
func split(x *Node, widths ...int) []*Node {
	arrived := make([]*Node, len(widths))
	parts := make([]*Node, len(widths))
	x = IdentityWithCustomGradient(x, func(x, _ *Node) *Node {
		joined := slices.Clone(arrived)
		clear(arrived) // of this backward pass; there may be another
		for i, w := range widths {
			if joined[i] == nil { // the gradient does not depend on this part
				shape := x.Shape().Clone()
				shape.Dimensions[shape.Rank()-1] = w
				joined[i] = Zeros(x.Graph(), shape)
			}
		}
		return Concatenate(joined, -1)
	})
	at := 0
	for i, w := range widths {
		parts[i] = IdentityWithCustomGradient(SliceAxis(x, -1, AxisRange(at, at+w)), func(_, v *Node) *Node {
			arrived[i] = v
			return v
		})
		at += w
	}
	return parts
}
