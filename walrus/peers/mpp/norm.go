package mpp

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// must panics with a formatted error if ok is false. The package panics only while a graph
// is built.
func must(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf("mpp: "+format, args...))
	}
}

// assertDims panics unless x has the given dimensions; -1 matches any.
func assertDims(what string, x *Node, dims ...int) {
	must(x != nil, "%s: missing", what)
	got := x.Shape().Dimensions
	ok := len(got) == len(dims)
	for i := 0; ok && i < len(dims); i++ {
		ok = dims[i] < 0 || dims[i] == got[i]
	}
	must(ok, "%s: expected shape %v (-1 is any), got %v", what, dims, got)
}

// Epsilons of the original, both added to a standard deviation.
const (
	// FrameEps is the epsilon of the normalisation of the input.
	FrameEps = 1e-7
	// NormEps is the epsilon of [RMSInstanceNorm].
	NormEps = 1e-8
)

// moments returns the mean of x over some axes, which keep length 1, and the unbiased
// standard deviation about it. It reduces axis by axis: one float32 sum over all points
// would lose two digits on large grids.
func moments(x *Node, axes ...int) (mean, deviation *Node) {
	n := 1
	for _, a := range axes {
		n *= x.Shape().Dim(a)
	}
	average := func(x *Node) *Node {
		for i := len(axes) - 1; i >= 0; i-- {
			x = ReduceAndKeep(x, ReduceMean, axes[i])
		}
		return x
	}
	mean = average(x)
	variance := average(Square(Sub(x, mean)))
	return mean, Sqrt(MulScalar(variance, float64(n)/float64(n-1)))
}

// RMSInstanceNorm divides every channel of a frame by its standard deviation over space:
//
//	y[f,…,c] = x[f,…,c] / (deviation(x[f,·,c]) + 1e-8) · weight[c]
//
// The deviation is the unbiased one about the mean, but the mean is not subtracted. x is
// [F, h, w, C], weight is [C]. The state dict also has a bias, which has no effect.
//
// A channel that is constant over space is divided by 1e-8, and its gradients are not
// finite.
func RMSInstanceNorm(x, weight *Node) *Node {
	c := x.Shape().Dim(-1)
	assertDims("RMSInstanceNorm x", x, -1, -1, -1, c)
	assertDims("RMSInstanceNorm weight", weight, c)
	_, deviation := moments(x, 1, 2)
	return Mul(x, Div(ExpandLeftToRank(weight, 4), AddScalar(deviation, NormEps)))
}

// rmsWeight gets the weight of an RMSInstanceNorm. It also asks v for the bias, which is in
// the state dict but has no effect.
func rmsWeight(v layers.Vars, channels int) *Node {
	w := v.Var("weight", layers.One, channels)
	v.Var("bias", layers.Init{Buffer: true}, channels)
	return w
}

// InstanceNorm subtracts the mean of every channel of a frame over space, divides by the
// biased standard deviation, and applies a weight and a bias per channel:
//
//	y[f,…,c] = (x[f,…,c] − mean) / √(variance + 1e-5) · weight[c] + bias[c]
//
// x is [F, h, w, C], weight and bias are [C].
func InstanceNorm(x *Node, w NormWeights) *Node {
	return layers.GroupNorm(x, w.Weight, w.Bias, x.Shape().Dim(-1))
}

// NormWeights holds the parameters of an InstanceNorm or of a layer norm as graph nodes.
type NormWeights struct{ Weight, Bias *Node }

func normWeights(v layers.Vars, channels int) NormWeights {
	return NormWeights{v.Var("weight", layers.One, channels), v.Var("bias", layers.Zero, channels)}
}
