package poseidon

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// must panics with a formatted error if ok is false. The package panics only while a graph
// is built.
func must(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf("poseidon: "+format, args...))
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

// NormEps is the epsilon of all norms.
const NormEps = 1e-5

// initial is the initial value of the weights of linear layers and convolutions.
var initial = layers.Init{Normal: 0.02}

// Norm is the norm of a token over its channels. If Conditioned, scale and shift depend on
// the lead time t of the sample:
//
//	y = (x − m)/√(v + 1e-5) · (a·t + b) + c·t + d
//
// with the mean m of x and v = mean(x²) − m². Otherwise it is a layer norm.
type Norm struct {
	// Channels is D.
	Channels    int
	Conditioned bool
}

// NormWeights holds the parameters of a Norm. The slopes are nil unless it is conditioned.
type NormWeights struct {
	ScaleSlope, ShiftSlope *Node // a, c: [D, 1]
	Scale, Shift           *Node // b, d: [D]
}

// Weights gets every parameter from v.
func (n Norm) Weights(v layers.Vars) NormWeights {
	d := n.Channels
	if !n.Conditioned {
		return NormWeights{Scale: v.Var("weight", layers.One, d), Shift: v.Var("bias", layers.Zero, d)}
	}
	var w NormWeights
	w.ScaleSlope, w.Scale = v.In("weight").Var("weight", initial, d, 1), v.In("weight").Var("bias", layers.Zero, d)
	w.ShiftSlope, w.Shift = v.In("bias").Var("weight", initial, d, 1), v.In("bias").Var("bias", layers.Zero, d)
	return w
}

// Apply returns y for x [B, …, D] and the lead times t [B], which an unconditioned norm
// ignores.
func (n Norm) Apply(x *Node, w NormWeights, t *Node) *Node {
	if !n.Conditioned {
		return layers.LayerNorm(x, w.Scale, w.Shift)
	}
	d, batch := n.Channels, x.Shape().Dim(0)
	assertDims("lead time", t, batch)
	// Means are products with a column, which both backends compute fast.
	column := ConstAs(x, slices.Repeat([]float64{1 / float64(d)}, d))
	mean := func(x *Node) *Node {
		return ExpandAxes(DotGeneral(x, []int{x.Rank() - 1}, nil, column, []int{0}, nil), -1)
	}
	m := mean(x)
	variance := Sub(mean(Square(x)), Square(m))
	at := func(slope, base *Node) *Node {
		assertDims("norm slope", slope, d, 1)
		y := Add(Mul(Reshape(t, batch, 1), Reshape(slope, 1, d)), Reshape(base, 1, d))
		dims := make([]int, x.Rank())
		for i := range dims {
			dims[i] = 1
		}
		dims[0], dims[len(dims)-1] = batch, d
		return Reshape(y, dims...)
	}
	y := Div(Sub(x, m), Sqrt(AddScalar(variance, NormEps)))
	return Add(Mul(y, at(w.ScaleSlope, w.Scale)), at(w.ShiftSlope, w.Shift))
}
