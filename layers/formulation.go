package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// This file identifies the backend of a graph and holds the choices between equivalent
// formulations that several layers share. The faster one was determined by measurement (see
// benchmarks/). Choices that concern one layer are in the file of that layer, in calls of
// onGo and onGPU.

// onGo reports whether the graph runs on gomlx's pure Go backend.
func onGo(g *Graph) bool { return g.Backend().Name() == "Go Backend" }

// onGPU reports whether the graph runs on a CUDA device, where starting an operation costs
// more than accessing memory.
func onGPU(g *Graph) bool {
	b, ok := g.Backend().(interface{ IsCUDA() bool })
	return ok && b.IsCUDA()
}

// turnsPairs reports whether heads of the given width are rotated without reordering. On
// CPUs contiguous slices are faster, so heads are first reordered by [halves], in the
// weights. On GPUs that would cost a copy of the weights.
func turnsPairs(g *Graph, width int) bool { return onGPU(g) && width%2 == 0 }

// framesLimit is the longest history whose attention the Go backend computes frame by
// frame. The number of pairs of frames is quadratic in the history.
const framesLimit = 8

// meanAxis returns the mean over an axis, which keeps length 1. The Go backend computes it
// as a product with a column of ones.
func meanAxis(x *Node, axis int) *Node {
	d := x.Shape().Clone().Dimensions
	if !onGo(x.Graph()) || d[axis] == 1 {
		return ReduceAndKeep(x, ReduceMean, axis)
	}
	outer := 1
	for _, n := range d[:axis] {
		outer *= n
	}
	mean := meanByDot(Reshape(x, outer, d[axis], -1))
	d[axis] = 1
	return Reshape(mean, d...)
}

// splitDense applies one dense layer per weight to the same x. XLA is faster with one wide
// product and slices of its result, the Go backend with one product per weight, because its
// slices are copies. If lean is set, the backward pass recomputes nodes that depend on the
// results, up to [kept].
func splitDense(lean bool, x *Node, weights, biases []*Node) []*Node {
	if onGo(x.Graph()) {
		out := make([]*Node, len(weights))
		x = withOnes(x)
		for i := range weights {
			out[i] = lastDot(x, withBias(weights[i], biases[i]))
		}
		return out
	}
	widths := make([]int, len(weights))
	for i, w := range weights {
		widths[i] = w.Shape().Dim(0)
	}
	return split(checkpoint(lean, Dense(x, Concatenate(weights, 0), Concatenate(biases, 0))), widths...)
}

// after returns w such that it is not used before x is available. On CPUs, XLA would
// otherwise reorder the weights of all layers first and hold them twice.
func after(x, w *Node) *Node {
	if onGo(x.Graph()) || onGPU(x.Graph()) {
		return w
	}
	return withAdjoint(w, nil, w.Shape(), func() *Node {
		first := make([]SliceAxisSpec, x.Rank())
		for i := range first {
			first[i] = AxisElem(0)
		}
		never := LessThan(Reshape(Abs(Slice(x, first...))), ConstAs(x, -1.0))
		return Where(BroadcastToDims(never, w.Shape().Dimensions...), Neg(w), w)
	}, func(_, dy *Node) []*Node { return []*Node{dy} })
}

// checkpoint marks x as the start of a recomputation: if lean is set, the backward pass
// recomputes the nodes between x and [kept]. It returns x unchanged if lean is not set, and
// on the Go backend, which would spend most of its time on the recomputed nodes.
func checkpoint(lean bool, x *Node) *Node {
	if !lean || onGo(x.Graph()) {
		return x
	}
	// A separate node, because gomlx v0.28.8 removes the custom gradient of the node on
	// which Checkpoint is called.
	return Reshape(x, x.Shape().Dimensions...).Checkpoint()
}

// kept marks x as the end of a recomputation. x itself is kept, not recomputed.
func kept(lean bool, x *Node) *Node {
	if !lean || onGo(x.Graph()) {
		return x
	}
	return x.StopCheckpoint()
}

// softmaxDot returns softmax(q·kᵀ + bias)·v for q, k, v [batch…, S, K]; bias broadcasts
// against [batch…, S, S] or is nil. On CPUs, XLA is faster if the division by the row sum
// follows the product with v. The Go backend and GPUs have a fused softmax.
func softmaxDot(q, k, v, bias *Node) *Node {
	var scores *Node
	if onGo(q.Graph()) {
		scores = scoresDot(q, k)
	} else {
		scores = batchDot(q, -1, k, -1)
	}
	scores = atLeastFloat32(scores)
	if bias != nil {
		scores = Add(scores, atLeastFloat32(bias))
	}
	if ownForms(scores) {
		return softmaxTimes(scores, v)
	}
	times := func(weights *Node) *Node {
		return batchDot(ConvertDType(weights, v.DType()), -1, v, -2)
	}
	if onGo(q.Graph()) || onGPU(q.Graph()) {
		return times(Softmax(scores, -1))
	}
	top := StopGradient(ReduceAndKeep(scores, ReduceMax, -1))
	e := Exp(Sub(scores, top))
	return Div(times(e), ConvertDType(ReduceAndKeep(e, ReduceSum, -1), v.DType()))
}

// batchDot returns the product of the matrices in the last two axes of a and b, contracted
// over axis i of a and j of b (-1 or -2), for each entry of the leading axes.
func batchDot(a *Node, i int, b *Node, j int) *Node {
	batch := make([]int, a.Rank()-2)
	for axis := range batch {
		batch[axis] = axis
	}
	return DotGeneral(a, []int{a.Rank() + i}, batch, b, []int{b.Rank() + j}, batch)
}
