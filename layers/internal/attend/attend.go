// Package attend computes softmax attention by the formulation that is fastest on the
// graph's backend.
package attend

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// Softmax attention on XLA with a hand-written backward pass. The forward pass keeps only
// the logarithm of each query's sum of exponentials, logs. The backward pass recomputes the
// weights p = exp(q·kᵀ + bias − logs) and computes
//
//	dv = pᵀ·dy,  ds = p·(dy·vᵀ − Σ dy·y),  dq = ds·k,  dk = dsᵀ·q,  dbias = Σ ds
//
// Large attention is computed in parts (parts.go). On GPUs, a fused operation usually
// computes all of it (fused.go).

// scoresOf returns the number of scores of q [F, N, S, K].
func scoresOf(q *Node) int { return q.Shape().Size() / q.Shape().Dim(3) * q.Shape().Dim(2) }

// Layout describes the layout of the operands outside attention. Merged converts [F, N, S,
// K] to Shape, whose last axis is K; PerHead converts back. The frames are those of Samples
// samples, one sample after the other.
type Layout struct {
	Samples         int
	Shape           []int
	Merged, PerHead func(*Node) *Node
}

// OverTokens returns softmax(q·kᵀ)·v in the merged layout, for q, k, v [F, N, S, K] with many
// tokens S, by the fastest way that the backend has. training says whether there will be a
// backward pass.
func OverTokens(q, k, v *Node, layout Layout, training bool) *Node {
	switch t := fusedType(q); {
	case t != dtypes.InvalidDType:
		return attendFused(q, k, v, layout, t, training)
	case !training && scoresOf(q) < limitsFor(q.Graph()).inference:
		return layout.Merged(SoftmaxDot(q, k, v, nil))
	}
	return Attend(q, k, v, nil, layout)
}

// Attend returns softmax(q·kᵀ + bias)·v in the merged layout, for q, k, v [F, N, S, K] and
// a bias [1, N or 1, S, S] or nil. Its backward pass recomputes q, k and v if they depend
// on a [checkpoint].
func Attend(q, k, v, bias *Node, layout Layout) *Node {
	if form.OnGo(q.Graph()) {
		return layout.Merged(SoftmaxDot(q, k, v, bias))
	}
	limits := limitsFor(q.Graph())
	if bias != nil || scoresOf(q) < limits.training {
		return attendBy(q, k, v, bias, layout, func(q, k, v *Node) (y, logs *Node) {
			return forwardAtOnce(q, k, v, bias)
		}, backwardAtOnce)
	}
	size := limits.sizeOf(layout.Samples, q.Shape().Dim(1), q.Shape().Dim(2))
	return attendBy(q, k, v, nil, layout, func(q, k, v *Node) (y, logs *Node) {
		return forwardInParts(q, k, v, size)
	}, func(g attendGiven) []*Node {
		return form.Once(backwardInParts(g, size), "attention in a loop, which large grids need on XLA,")
	})
}

// attendGiven holds the inputs of the backward pass, all per head: dy is the gradient of
// the result y, and along returns Σ dy·y over K, [F, N, S, 1].
type attendGiven struct {
	q, k, v, bias, logs, dy *Node
	along                   func() *Node
}

// attendBy is attend with the given forward and backward passes. back returns the gradients
// of q, k and v and, if there is one, of the bias.
func attendBy(q, k, v, bias *Node, layout Layout, forward func(q, k, v *Node) (y, logs *Node), back func(attendGiven) []*Node) *Node {
	var params []*Node
	if bias != nil {
		params = []*Node{bias}
	}
	var y, logs *Node
	return form.WithAdjoint(form.Stacked(q, k, v), params, shapes.Make(q.DType(), layout.Shape...), func() *Node {
		y, logs = forward(q, k, v)
		y = layout.Merged(y)
		return y
	}, func(again, dy *Node) []*Node {
		along := func() *Node {
			return layout.PerHead(ReduceAndKeep(Mul(form.AtLeastFloat32(dy), form.AtLeastFloat32(y)), ReduceSum, -1))
		}
		made := back(attendGiven{form.Entry(again, 0), form.Entry(again, 1), form.Entry(again, 2), bias, logs, layout.PerHead(dy), along})
		return append([]*Node{form.Stacked(made[:3]...)}, made[3:]...)
	})
}

// turned exchanges the last two axes.
func turned(x *Node) *Node { return TransposeAllDims(x, 0, 1, 3, 2) }

// dotAs returns dotHeads of a, converted to the type of b, and b.
func dotAs(a *Node, i int, b *Node, j int) *Node {
	return form.BatchDot(ConvertDType(a, b.DType()), i, b, j)
}

// forwardAtOnce returns the result and the logarithms of the sums, [F, N, S, 1].
func forwardAtOnce(q, k, v, bias *Node) (y, logs *Node) {
	scores := addBias(form.BatchDot(q, -1, k, -1), bias)
	top := ReduceAndKeep(scores, ReduceMax, -1)
	e := Exp(Sub(scores, top))
	sum := ReduceAndKeep(e, ReduceSum, -1)
	return Div(dotAs(e, -1, v, -2), ConvertDType(sum, v.DType())), Add(top, Log(sum))
}

// addBias returns scores + bias.
func addBias(scores, bias *Node) *Node {
	if bias == nil {
		return form.AtLeastFloat32(scores)
	}
	return Add(form.AtLeastFloat32(scores), form.AtLeastFloat32(bias))
}

// backwardAtOnce computes the backward pass from all scores. On CPUs it computes the
// weights and their gradients both plain and transposed, because small products with a
// transposed operand, such as those of attention in time, are slow there.
func backwardAtOnce(g attendGiven) []*Node {
	p := Exp(Sub(addBias(form.BatchDot(g.q, -1, g.k, -1), g.bias), g.logs))
	dp := form.AtLeastFloat32(form.BatchDot(g.dy, -1, g.v, -1))
	var ds *Node
	var made []*Node
	if form.OnGPU(p.Graph()) {
		ds = Mul(p, Sub(dp, g.along()))
		made = []*Node{dotAs(ds, -1, g.k, -2), dotAs(ds, -2, g.q, -2), dotAs(p, -2, g.dy, -2)}
	} else {
		along := ReduceAndKeep(Mul(p, dp), ReduceSum, -1) // equals Σ dy·y
		ds = Mul(p, Sub(dp, along))
		bias := g.bias
		if bias != nil {
			bias = turned(bias)
		}
		pt := Exp(Sub(addBias(form.BatchDot(g.k, -1, g.q, -1), bias), turned(g.logs)))
		dst := Mul(pt, Sub(form.AtLeastFloat32(form.BatchDot(g.v, -1, g.dy, -1)), turned(along)))
		made = []*Node{dotAs(ds, -1, g.k, -2), dotAs(dst, -1, g.q, -2), dotAs(pt, -1, g.dy, -2)}
	}
	if g.bias == nil {
		return made
	}
	dbias := ReduceAndKeep(ds, ReduceSum, 0)
	if g.bias.Shape().Dim(1) == 1 {
		dbias = ReduceAndKeep(dbias, ReduceSum, 1)
	}
	return append(made, ConvertDType(dbias, g.bias.DType()))
}

// PerHead exchanges the axes of tokens and heads: [F,S,N,K] to [F,N,S,K] and back.
func PerHead(t *Node) *Node { return TransposeAllDims(t, 0, 2, 1, 3) }
