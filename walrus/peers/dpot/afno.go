package dpot

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/fourier"
)

// AFNO is the adaptive Fourier neural operator (arXiv 2111.13587) in DPOT's form: an MLP on
// the frequencies of the tokens, with block-diagonal matrices that all frequencies share,
// and its input added. With the orthonormal transform F over the spatial axes,
//
//	y = x + F⁻¹( w2·act(w1·F(x) + b1) + b2 )
//
// where products are complex and act applies to real and imaginary parts separately.
// Frequencies that are not kept are zero. There is no soft shrinkage.
//
// The kept frequencies of each axis are 0 to modes−1. The first axes have negative
// frequencies, too, which count as the highest: an axis with more tokens than modes loses
// them, as in the original.
type AFNO struct {
	// Channels is the width E of a token, Blocks the number of diagonal blocks.
	Channels, Blocks int
	// Modes is the number of frequencies that are kept on each spatial axis.
	Modes []int
	// Activation is the nonlinearity.
	Activation Activation
}

// AFNOWeights holds the parameters of an AFNO with N = Blocks blocks of width K = E/N: W1
// and W2 [2, N, K, K] from input to output, B1 and B2 [2, N, K], real parts first.
type AFNOWeights struct{ W1, B1, W2, B2 *Node }

// Weights gets the parameters from v. Initial values are uniform in [0, 1/K²).
func (a AFNO) Weights(v layers.Vars) AFNOWeights {
	n, k := a.Blocks, a.Channels/a.Blocks
	init := layers.Init{Uniform: 1 / float64(k*k), Positive: true}
	return AFNOWeights{
		W1: v.Var("w1", init, 2, n, k, k),
		B1: v.Var("b1", init, 2, n, k),
		W2: v.Var("w2", init, 2, n, k, k),
		B2: v.Var("b2", init, 2, n, k),
	}
}

// Apply returns y for tokens x [B, n…, E] with one axis for each of Modes.
func (a AFNO) Apply(x *Node, w AFNOWeights) *Node {
	check(len(a.Modes) > 0, "AFNO: expected modes for at least one axis, got none")
	assertRank("AFNO x [B, n…, E]", x, len(a.Modes)+2)
	return a.apply(x, w, a.transform(x))
}

// transform returns the transforms for x.
func (a AFNO) transform(x *Node) fourier.Transform {
	var kept [][]int
	for axis, limit := range a.Modes {
		kept = append(kept, fourier.Lowest(x.Shape().Dim(1+axis), limit, axis == len(a.Modes)-1))
	}
	return fourier.New(x, kept)
}

// apply is Apply with the transforms for x.
func (a AFNO) apply(x *Node, w AFNOWeights, f fourier.Transform) *Node {
	n, k := a.Blocks, a.Channels/a.Blocks
	spectrum := f.Forward(x)
	dims := spectrum.Shape().Clone().Dimensions
	// Real and imaginary parts become one axis, so that a complex product is one product.
	z := Reshape(spectrum, 2, -1, n, k)
	z = Reshape(TransposeAllDims(z, 2, 1, 0, 3), n, -1, 2*k)
	z = a.Activation.apply(fourier.Dense(z, w.W1, w.B1))
	z = fourier.Dense(z, w.W2, w.B2)
	z = TransposeAllDims(Reshape(z, n, -1, 2, k), 2, 1, 0, 3)
	return Add(f.Inverse(Reshape(z, dims...)), x)
}

// apply returns the activation of x.
func (a Activation) apply(x *Node) *Node {
	if a == SiLU {
		return layers.SiLU(x)
	}
	return layers.GELU(x)
}
