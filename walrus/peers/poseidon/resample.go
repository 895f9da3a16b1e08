package poseidon

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Resample returns x [B, C, n, n] on another square grid by its Fourier series, as the
// original does with frames of another size than its own. It keeps the frequencies f of n
// points with −size/2 ≤ f ≤ size/2 − 1, or sets higher frequencies to zero, and returns the
// real part.
//
// Three properties of the original are kept. An odd size gives size − 1 points when it is
// smaller than n, and an odd difference gives size − 1 points when it is larger. When it
// is larger and n is even, the highest frequency −n/2 has no counterpart n/2, which halves
// its part of the result.
//
// The transforms are two real matrix products per axis: with y = A·x for one axis and
// complex A, the real part of A·x·Aᵀ is Re A·x·Re Aᵀ − Im A·x·Im Aᵀ.
func Resample(x *Node, size int) *Node {
	n := x.Shape().Dim(3)
	assertDims("Resample x", x, -1, -1, n, n)
	must(size >= 2 && n >= 2, "Resample: expected at least two points per axis, got %d and %d", n, size)
	re, im := resampling(n, size)
	both := func(a *Node) *Node {
		y := DotGeneral(x, []int{3}, nil, a, []int{1}, nil)                                 // [B, C, n, size]
		return TransposeAllDims(DotGeneral(y, []int{2}, nil, a, []int{1}, nil), 0, 1, 3, 2) // [B, C, size, size]
	}
	return Sub(both(ConstAs(x, re)), both(ConstAs(x, im)))
}

// resampling returns real and imaginary part of the matrix of one axis,
//
//	A[m, j] = 1/n · Σ_f e^{2πi·f·a},  a = m/size − j/n
//
// where the sum over consecutive frequencies is e^{2πi·c·a}·sin(π·k·a)/sin(π·a), with their
// number k and their centre c.
func resampling(n, size int) (re, im [][]float64) {
	low, high := -(n / 2), (n-1)/2 // the frequencies of n points
	if size < n {
		low, high = -(size / 2), size/2-1
		size = high - low + 1
	} else {
		size = n + (size-n)/2*2
	}
	count, centre := float64(high-low+1), float64(low+high)/2
	for m := range size {
		real, imag := make([]float64, n), make([]float64, n)
		for j := range n {
			a, sum := float64(m)/float64(size)-float64(j)/float64(n), count
			if m*n != j*size {
				sum = math.Sin(math.Pi*count*a) / math.Sin(math.Pi*a)
			}
			sin, cos := math.Sincos(2 * math.Pi * centre * a)
			real[j], imag[j] = cos*sum/float64(n), sin*sum/float64(n)
		}
		re, im = append(re, real), append(im, imag)
	}
	return re, im
}
