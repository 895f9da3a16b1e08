package layers

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// Dense returns x·weightᵀ + bias over the last axis, for x [..., in], weight [out, in] as
// in the reference, and bias [out] or nil.
func Dense(x, weight, bias *Node) *Node {
	in := x.Shape().Dim(-1)
	assertDims("Dense weight", weight, -1, in)
	if bias != nil {
		assertDims("Dense bias", bias, weight.Shape().Dim(0))
		if form.OnGo(x.Graph()) {
			return form.LastDot(form.WithOnes(x), form.WithBias(weight, bias))
		}
	}
	y := denseDot(x, weight)
	if bias == nil {
		return y
	}
	return Add(y, ExpandLeftToRank(bias, y.Rank()))
}

// denseDot returns x·weightᵀ. If the result is wide, the weight's gradient is computed as
// one matrix product. gomlx's gradient contracts all axes of tokens, and XLA on CPUs would
// transpose its first operand element by element, recomputing that operand.
func denseDot(x, weight *Node) *Node {
	in, out := weight.Shape().Dim(1), weight.Shape().Dim(0)
	if form.OnGo(x.Graph()) || out < in {
		return form.LastDot(x, weight)
	}
	shape := x.Shape().Clone()
	shape.Dimensions[shape.Rank()-1] = out
	return form.WithAdjoint(x, []*Node{weight}, shape, func() *Node { return form.LastDot(x, weight) },
		func(x, dy *Node) []*Node {
			dx := DotGeneral(dy, []int{dy.Rank() - 1}, nil, weight, []int{0}, nil)
			dw := DotGeneral(Reshape(dy, -1, out), []int{0}, nil, Reshape(x, -1, in), []int{0}, nil)
			return []*Node{dx, dw}
		})
}

// HeadNormEps is the epsilon of the LayerNorm of queries and keys.
const HeadNormEps = 1e-5

// headNorm returns the LayerNorm of queries or keys over the head width (QK-normalisation,
// paper §3.1), for x [..., K] and weight and bias [K].
func headNorm(x, weight, bias *Node) *Node {
	k := x.Shape().Dim(-1)
	assertDims("head norm weight", weight, k)
	assertDims("head norm bias", bias, k)
	norm := func() *Node {
		return nn.LayerNorm(x, []int{x.Rank() - 1}, HeadNormEps, weight, bias, nil)
	}
	if form.OnGo(x.Graph()) {
		return norm()
	}
	last := x.Rank() - 1
	// The hand-written backward pass multiplies by the weights in matrix products. XLA
	// would broadcast them over all tokens for the sums, early, and keep the result.
	return form.WithAdjoint(x, []*Node{weight, bias}, x.Shape(), norm, func(x, dy *Node) []*Node {
		x = Sub(x, ReduceAndKeep(x, ReduceMean, last))
		variance := ReduceAndKeep(Square(x), ReduceMean, last)
		scale := Div(OnesLike(variance), Sqrt(AddScalar(variance, HeadNormEps)))
		xhat := Mul(x, scale)
		along := Mul(dy, xhat)
		mean := func(x *Node) *Node {
			return MulScalar(ExpandAxes(DotGeneral(x, []int{last}, nil, weight, []int{0}, nil), -1), 1/float64(k))
		}
		spread := ExpandLeftToRank(weight, x.Rank())
		dx := Mul(scale, Sub(Mul(dy, spread), Add(mean(dy), Mul(xhat, mean(along)))))
		over := func(x *Node) *Node { return ReduceSum(Reshape(x, -1, k), 0) }
		return []*Node{dx, over(along), over(dy)}
	})
}

// SiLU returns x·form.Sigmoid(x), the activation of the released encoder and decoder.
func SiLU(x *Node) *Node {
	if form.OwnForms(x) {
		return form.SiLUBySums(x)
	}
	return Mul(x, Logistic(x))
}

// GELU returns x·Φ(x) = x/2·(1 + erf(x/√2)), where Φ is the distribution function of the
// standard normal distribution. It is the exact form, not the approximation by tanh.
func GELU(x *Node) *Node {
	if form.OwnForms(x) {
		return form.GELUBySums(x)
	}
	return MulScalar(Mul(x, AddScalar(Erf(DivScalar(x, math.Sqrt2)), 1)), 0.5)
}

// SwiGLU splits x [..., 2M] into values a (first half) and gates g (second half) and
// returns silu(g)·a, [..., M].
func SwiGLU(x *Node) *Node {
	n := x.Shape().Dim(-1)
	must(n%2 == 0, "SwiGLU: expected an even last axis, got %d", n)
	parts := form.Parts(x, n/2, n/2)
	return Mul(SiLU(parts[1]), parts[0])
}

// SwapFirst exchanges the first two axes: [T, B, …] to [B, T, …] and back.
func SwapFirst(x *Node) *Node {
	d := x.Shape().Clone().Dimensions
	if d[0] == 1 || d[1] == 1 {
		d[0], d[1] = d[1], d[0]
		return Reshape(x, d...)
	}
	axes := make([]int, len(d))
	for i := range axes {
		axes[i] = i
	}
	axes[0], axes[1] = 1, 0
	return TransposeAllDims(x, axes...)
}

// splitDense applies one dense layer per weight to the same x. XLA is faster with one wide
// product and slices of its result, the Go backend with one product per weight, because its
// slices are copies. If lean is set, the backward pass recomputes nodes that depend on the
// results, up to [kept].
func splitDense(lean bool, x *Node, weights, biases []*Node) []*Node {
	if form.OnGo(x.Graph()) {
		out := make([]*Node, len(weights))
		x = form.WithOnes(x)
		for i := range weights {
			out[i] = form.LastDot(x, form.WithBias(weights[i], biases[i]))
		}
		return out
	}
	widths := make([]int, len(weights))
	for i, w := range weights {
		widths[i] = w.Shape().Dim(0)
	}
	return form.Parts(form.Checkpoint(lean, Dense(x, Concatenate(weights, 0), Concatenate(biases, 0))), widths...)
}
