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
			return adjointPath(x, nil, shape, func(_, v *Node) (*Node, *Node) { return adjoint(v), nil })
		}, true)
	if !fused {
		return f(x)
	}
	return y
}

// adjointPath leads gradients v of a result of the given shape to x, and to more unless
// it is nil, by a map of one's own, adjoint(again, v), where again is x computed again if
// the backward pass does so, else nil. (gomlx takes derivatives of one's own for maps of
// one input that keep the shape, no others; so what arrives is caught behind a path that
// only tells gomlx where it leads. Its values mean nothing: it is for the alternate of
// InternalFusedOpCaller.)
func adjointPath(x, more *Node, shape shapes.Shape, adjoint func(again, v *Node) (dx, dmore *Node)) *Node {
	var arrived, in, dmore *Node
	sum := func(x *Node) *Node { return Reshape(ReduceAllSum(x)) }
	var path *Node
	if more != nil { // gradients pass younger nodes first: this one after x
		path = sum(IdentityWithCustomGradient(more, func(more, _ *Node) *Node {
			if dmore == nil { // x needs no gradient
				_, dmore = adjoint(nil, arrived)
			}
			return dmore
		}))
	}
	in = IdentityWithCustomGradient(x, func(again, _ *Node) (dx *Node) {
		if again == in {
			again = nil
		}
		dx, dmore = adjoint(again, arrived)
		return dx
	})
	path = BroadcastToDims(addTo(path, sum(in)), shape.Dimensions...)
	return IdentityWithCustomGradient(path, func(_, v *Node) *Node {
		arrived = v
		return v // so that what is computed again waits for it
	})
}

// split cuts the last axis of x into parts of the given widths. Their gradients are put
// side by side, once; those of slices would be padded with zeros and added up.
func split(x *Node, widths ...int) []*Node {
	arrived := make([]*Node, len(widths))
	parts := make([]*Node, len(widths))
	x = IdentityWithCustomGradient(x, func(x, _ *Node) *Node {
		for i, w := range widths {
			if arrived[i] == nil { // nothing depends on this part
				shape := x.Shape().Clone()
				shape.Dimensions[shape.Rank()-1] = w
				arrived[i] = Zeros(x.Graph(), shape)
			}
		}
		return Concatenate(arrived, -1)
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
