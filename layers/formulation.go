package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// This file says what a graph runs on, and holds the choices of formulation that several
// layers share. The alternatives compute the same function; which is faster was measured
// (see benchmarks/). A choice of one layer alone stands with it: onGo and onGPU lead to all.

// onGo reports whether the graph runs on gomlx's pure Go backend.
func onGo(g *Graph) bool { return g.Backend().Name() == "Go Backend" }

// onGPU reports whether the graph runs on a CUDA device, where starting an operation
// costs more than memory does.
func onGPU(g *Graph) bool {
	b, ok := g.Backend().(interface{ IsCUDA() bool })
	return ok && b.IsCUDA()
}

// turnsPairs reports whether heads of a width are rotated as they are. On CPUs slices of
// whole runs are faster, and heads are reordered by halves first, in the weights; on GPUs
// that would cost a copy of them.
func turnsPairs(g *Graph, width int) bool { return onGPU(g) && width%2 == 0 }

// framesLimit is the longest history whose frames attend to each other one by one on
// the Go backend; the number of pairs grows with its square.
const framesLimit = 8

// meanAxis is the mean over an axis, which it keeps; the Go backend has it by a product
// with ones.
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

// splitDense applies one dense layer per weight to the same x. XLA is faster
// with one wide product and slices of the result, the Go backend with a
// product each, because its slices are copies. With lean what comes of the result is
// computed again, up to [kept].
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

// after is w, but not before x is there. On CPUs XLA would otherwise bring the weights of
// all layers into their order first and hold them twice.
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

// checkpoint marks x as what the backward pass begins with when it computes again what
// lies between here and [kept]; without lean, and on the Go backend, whose time goes into
// what would be repeated, it is x.
func checkpoint(lean bool, x *Node) *Node {
	if !lean || onGo(x.Graph()) {
		return x
	}
	// A separate node, because gomlx v0.28.8 takes the custom gradient away from the
	// node that Checkpoint is called on.
	return Reshape(x, x.Shape().Dimensions...).Checkpoint()
}

// kept marks the end of what is computed again; x itself is kept.
func kept(lean bool, x *Node) *Node {
	if !lean || onGo(x.Graph()) {
		return x
	}
	return x.StopCheckpoint()
}

// softmaxDot returns softmax(q·kᵀ + bias)·v for q, k, v [batch…, S, K]; bias
// broadcasts against [batch…, S, S] or is nil. On CPUs XLA is faster with the division by
// the row sum last, after the product with v; the Go backend and GPUs have a fused softmax.
func softmaxDot(q, k, v, bias *Node) *Node {
	rank := q.Rank()
	batch := make([]int, rank-2)
	for i := range batch {
		batch[i] = i
	}
	var scores *Node
	if onGo(q.Graph()) {
		scores = scoresDot(q, k)
	} else {
		scores = DotGeneral(q, []int{rank - 1}, batch, k, []int{rank - 1}, batch)
	}
	scores = atLeastFloat32(scores)
	if bias != nil {
		scores = Add(scores, atLeastFloat32(bias))
	}
	if ownForms(scores) {
		return softmaxTimes(scores, v)
	}
	times := func(weights *Node) *Node {
		return DotGeneral(ConvertDType(weights, v.DType()), []int{rank - 1}, batch, v, []int{rank - 2}, batch)
	}
	if onGo(q.Graph()) || onGPU(q.Graph()) {
		return times(Softmax(scores, -1))
	}
	top := StopGradient(ReduceAndKeep(scores, ReduceMax, -1))
	e := Exp(Sub(scores, top))
	return Div(times(e), ConvertDType(ReduceAndKeep(e, ReduceSum, -1), v.DType()))
}
