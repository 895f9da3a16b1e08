// Package form holds the operations that several layers share and that are written
// differently for different backends, and hand-written gradients.
package form

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// This file identifies the backend of a graph and holds the choices between equivalent
// formulations that several layers share. The faster one was determined by measurement (see
// benchmarks/). Choices that concern one layer are in the file of that layer, in calls of
// OnGo and OnGPU.

// OnGo reports whether the graph runs on gomlx's pure Go backend.
func OnGo(g *Graph) bool { return g.Backend().Name() == "Go Backend" }

// OnGPU reports whether the graph runs on a CUDA device, where starting an operation costs
// more than accessing memory.
func OnGPU(g *Graph) bool {
	b, ok := g.Backend().(interface{ IsCUDA() bool })
	return ok && b.IsCUDA()
}

// MeanAxis returns the mean over an axis, which keeps length 1. The Go backend computes it
// as a product with a column of ones.
func MeanAxis(x *Node, axis int) *Node {
	d := x.Shape().Clone().Dimensions
	if !OnGo(x.Graph()) || d[axis] == 1 {
		return ReduceAndKeep(x, ReduceMean, axis)
	}
	outer := 1
	for _, n := range d[:axis] {
		outer *= n
	}
	mean := MeanByDot(Reshape(x, outer, d[axis], -1))
	d[axis] = 1
	return Reshape(mean, d...)
}

// After returns w such that it is not used before x is available. On CPUs, XLA would
// otherwise reorder the weights of all layers first and hold them twice.
func After(x, w *Node) *Node {
	if OnGo(x.Graph()) || OnGPU(x.Graph()) {
		return w
	}
	return WithAdjoint(w, nil, w.Shape(), func() *Node { return heldBack(x, w) },
		func(_, dy *Node) []*Node { return []*Node{dy} })
}

// Late returns w, on every backend, such that no operation uses it before x is available.
// It has no gradient.
func Late(x, w *Node) *Node {
	if OnGo(x.Graph()) {
		return SchedulingBarrier(w, x)
	}
	return heldBack(x, w)
}

// heldBack returns w by a selection that depends on a value of x but always selects w. XLA
// removes its own barriers before it orders the operations.
func heldBack(x, w *Node) *Node {
	first := make([]SliceAxisSpec, x.Rank())
	for i := range first {
		first[i] = AxisElem(0)
	}
	never := LessThan(Reshape(Abs(Slice(x, first...))), ConstAs(x, -1.0))
	return Where(BroadcastToDims(never, w.Shape().Dimensions...), Neg(w), w)
}

// Checkpoint marks x as the start of a recomputation: if lean is set, the backward pass
// recomputes the nodes between x and [Kept]. It returns x unchanged if lean is not set, and
// on the Go backend, which would spend most of its time on the recomputed nodes.
func Checkpoint(lean bool, x *Node) *Node {
	if !lean || OnGo(x.Graph()) {
		return x
	}
	// A separate node, because gomlx v0.28.8 removes the custom gradient of the node on
	// which Checkpoint is called.
	return Reshape(x, x.Shape().Dimensions...).Checkpoint()
}

// Kept marks x as the end of a recomputation. x itself is kept, not recomputed.
func Kept(lean bool, x *Node) *Node {
	if !lean || OnGo(x.Graph()) {
		return x
	}
	return x.StopCheckpoint()
}

// BatchDot returns the product of the matrices in the last two axes of a and b, contracted
// over axis i of a and j of b (-1 or -2), for each entry of the leading axes.
func BatchDot(a *Node, i int, b *Node, j int) *Node {
	batch := make([]int, a.Rank()-2)
	for axis := range batch {
		batch[axis] = axis
	}
	return DotGeneral(a, []int{a.Rank() + i}, batch, b, []int{b.Rank() + j}, batch)
}
