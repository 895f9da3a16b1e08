package layers

import (
	"slices"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// withAdjoint returns y = f(), whose values have the given shape and which is not
// differentiated: of dy, the gradient of y, adjoint(again, dy) makes those of x and of the
// parameters, in this order, where again is x, computed again if the backward pass does so.
func withAdjoint(x *Node, params []*Node, shape shapes.Shape, f func() *Node, adjoint func(again, dy *Node) []*Node) *Node {
	y, fused := InternalFusedOpCaller(f, func() *Node { return adjointPath(x, params, shape, adjoint) }, true)
	if !fused { // GOMLX_FUSION=0 returns the path, whose values mean nothing
		return f()
	}
	return y
}

// adjointPath leads gradients of a result of the given shape to x and the parameters.
// (gomlx takes derivatives of one's own for maps of one input that keep the shape, no
// others; so what arrives is caught behind a path that only tells gomlx where it leads.)
func adjointPath(x *Node, params []*Node, shape shapes.Shape, adjoint func(again, dy *Node) []*Node) *Node {
	var arrived *Node
	var made []*Node
	var path *Node
	add := func(x *Node) { path = addTo(path, Reshape(ReduceAllSum(x))) }
	for i, p := range params { // gradients pass younger nodes first: these after x
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
		return dy               // so that what is computed again waits for it
	})
}

// linear returns the linear map f of x, whose values have the given shape, with its
// adjoint written out.
func linear(x *Node, shape shapes.Shape, f, adjoint func(*Node) *Node) *Node {
	return withAdjoint(x, nil, shape, func() *Node { return f(x) },
		func(_, dy *Node) []*Node { return []*Node{adjoint(dy)} })
}

// split cuts the last axis of x into parts of the given widths. Their gradients are put
// side by side, once; those of slices would be padded with zeros and added up.
func split(x *Node, widths ...int) []*Node {
	arrived := make([]*Node, len(widths))
	parts := make([]*Node, len(widths))
	x = IdentityWithCustomGradient(x, func(x, _ *Node) *Node {
		joined := slices.Clone(arrived)
		clear(arrived) // of this backward pass; there may be another
		for i, w := range widths {
			if joined[i] == nil { // nothing depends on this part
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
