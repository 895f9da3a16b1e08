package mpp

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// Attention holds what attention over time and attention over space have in common: one
// projection to queries, keys and values, layer norms of queries and keys that all heads
// share, and one positional bias.
type Attention struct {
	// Channels is E, Heads is N.
	Channels, Heads int
	Bias            Bias
}

// AttentionWeights holds the parameters of an Attention as graph nodes. The projections are
// 1×1 convolutions in the original, hence the trailing axes.
type AttentionWeights struct {
	Input, InputBias   *Node // [3E, E, 1, 1], [3E]: for each head q | k | v
	Output, OutputBias *Node // [E, E, 1, 1], [E]
	QNorm, KNorm       NormWeights
	Bias               BiasWeights
}

func (a Attention) weights(v layers.Vars) AttentionWeights {
	e := a.Channels
	must(a.Heads > 0 && e%a.Heads == 0, "attention: %d heads do not divide %d channels", a.Heads, e)
	var w AttentionWeights
	w.Input = v.In("input_head").Var("weight", layers.FanIn(e), 3*e, e, 1, 1)
	w.InputBias = v.In("input_head").Var("bias", layers.FanIn(e), 3*e)
	w.Output = v.In("output_head").Var("weight", layers.FanIn(e), e, e, 1, 1)
	w.OutputBias = v.In("output_head").Var("bias", layers.FanIn(e), e)
	w.QNorm, w.KNorm = normWeights(v.In("qnorm"), e/a.Heads), normWeights(v.In("knorm"), e/a.Heads)
	w.Bias = a.Bias.weights(v, a.Heads)
	return w
}

// project returns the queries, keys and values of x [..., E], each [..., N, K]. Queries and
// keys are normalised, and queries are divided by √K.
func (a Attention) project(x *Node, w AttentionWeights) (q, k, v *Node) {
	e, n := a.Channels, a.Heads
	assertDims("input_head weight", w.Input, 3*e, e, 1, 1)
	part := func(i int) *Node {
		of := func(t *Node, dims ...int) *Node {
			t = Reshape(t, append([]int{n, 3, e / n}, dims...)...)
			return Reshape(SliceAxis(t, 1, AxisElem(i)), append([]int{e}, dims...)...)
		}
		y := layers.Dense(x, of(w.Input, e), of(w.InputBias))
		return Reshape(y, append(x.Shape().Clone().Dimensions[:x.Rank()-1], n, e/n)...)
	}
	scale := 1 / math.Sqrt(float64(e/n))
	q = layers.LayerNorm(part(0), MulScalar(w.QNorm.Weight, scale), MulScalar(w.QNorm.Bias, scale))
	k = layers.LayerNorm(part(1), w.KNorm.Weight, w.KNorm.Bias)
	return q, k, part(2)
}

// output returns the output projection of x [..., E].
func (a Attention) output(x *Node, w AttentionWeights) *Node {
	return layers.Dense(x, Reshape(w.Output, a.Channels, a.Channels), w.OutputBias)
}

// attendAlong returns attention along one of the axes A, B, C of q, k and v [A, B, C, N,
// K], separately for every position on the other two. The result is [A, B, C, E].
func attendAlong(axis int, q, k, v, bias *Node) *Node {
	var order []int // the other axes, N, axis, K
	for a := range 3 {
		if a != axis {
			order = append(order, a)
		}
	}
	order = append(order, 3, axis, 4)
	dims, back := make([]int, 5), make([]int, 5)
	for i, a := range order {
		dims[i], back[a] = q.Shape().Dim(a), i
	}
	sequences := func(x *Node) *Node {
		return Reshape(TransposeAllDims(x, order...), dims[0]*dims[1], dims[2], dims[3], dims[4])
	}
	y := layers.SoftmaxAttention(sequences(q), sequences(k), sequences(v), bias)
	y = TransposeAllDims(Reshape(y, dims...), back...)
	return Reshape(y, append(y.Shape().Clone().Dimensions[:3], -1)...)
}
