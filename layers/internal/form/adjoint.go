package form

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// WithAdjoint returns f() with a hand-written backward pass. shape is the shape of f().
// adjoint receives x (recomputed if the backward pass recomputes it) and dy, the gradient
// of f(), and returns the gradients of x and of params, in that order.
func WithAdjoint(x *Node, params []*Node, shape shapes.Shape, f func() *Node, adjoint func(again, dy *Node) []*Node) *Node {
	if len(params) == 0 && x.Shape().Equal(shape) {
		return forward(f, func() *Node {
			return IdentityWithCustomGradient(x, func(again, dy *Node) *Node { return adjoint(again, dy)[0] })
		})
	}
	return WithAdjointAlong(x, params, func(x *Node, params []*Node) *Node {
		sum := ReduceAllSum(x)
		for _, p := range params {
			sum = Add(sum, ReduceAllSum(p))
		}
		return BroadcastToDims(sum, shape.Dimensions...)
	}, f, adjoint)
}

// WithAdjointAlong is withAdjoint for an f whose shape is that of along(x, params). The
// values of along do not matter, but its nodes stay in memory as long as the program, so it
// should make few.
func WithAdjointAlong(x *Node, params []*Node, along func(x *Node, params []*Node) *Node, f func() *Node, adjoint func(again, dy *Node) []*Node) *Node {
	return forward(f, func() *Node { return adjointPath(x, params, along, adjoint) })
}

// forward returns the values of f() with the gradient of path().
func forward(f, path func() *Node) *Node {
	y, fused := InternalFusedOpCaller(f, path, true)
	if !fused { // with GOMLX_FUSION=0 the caller returns the path, whose values do not matter
		return f()
	}
	return y
}

// adjointPath returns along(x, params) with another gradient: the backward pass calls
// adjoint with the gradient that arrives at the result, and passes the results of adjoint on
// to x and params. (gomlx supports custom gradients only for functions of one input that
// preserve its shape. So the gradient is stored when it arrives and used where the path from
// the result ends at x and params.)
func adjointPath(x *Node, params []*Node, along func(x *Node, params []*Node) *Node, adjoint func(again, dy *Node) []*Node) *Node {
	var arrived *Node
	var made []*Node
	ends := make([]*Node, len(params))
	for i, p := range params { // gradients are computed for nodes created last first: for x before params
		ends[i] = IdentityWithCustomGradient(p, func(_, _ *Node) *Node {
			if made == nil { // x needs no gradient
				made = adjoint(x, arrived)
			}
			return made[1+i]
		})
	}
	end := IdentityWithCustomGradient(x, func(again, _ *Node) *Node {
		made = adjoint(again, arrived)
		return made[0]
	})
	return IdentityWithCustomGradient(along(end, ends), func(_, dy *Node) *Node {
		arrived, made = dy, nil // of this backward pass; there may be another
		return dy               // makes recomputed nodes depend on dy
	})
}

// Once returns results of a hand-written backward pass that cannot be differentiated again:
// their gradient is an error that names the operation.
func Once(made []*Node, operation string) []*Node {
	out := make([]*Node, len(made))
	for i, x := range made {
		out[i] = IdentityWithCustomGradient(x, func(_, _ *Node) *Node {
			panic(fmt.Errorf("%s has first derivatives only, and a Jacobian–vector product differentiates its backward pass: use the pure Go backend, or vector–Jacobian products", operation))
		})
	}
	return out
}

// Linear returns f(x) for a linear map f whose results have the given shape. adjoint
// computes its transpose.
func Linear(x *Node, shape shapes.Shape, f, adjoint func(*Node) *Node) *Node {
	return WithAdjoint(x, nil, shape, func() *Node { return f(x) },
		func(_, dy *Node) []*Node { return []*Node{adjoint(dy)} })
}

// Parts splits the last axis of x into parts of the given widths. Its backward pass
// concatenates the parts' gradients once; gradients of slices would be padded with zeros
// and added.
func Parts(x *Node, widths ...int) []*Node {
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
