// Package fourier computes Fourier transforms of real fields, and products of spectra with
// complex matrices, from real matrix products alone. The pure Go backend has no complex numbers
// and no FFT, and the axes of tokens are short.
package fourier

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Transform computes orthonormal Fourier transforms of real fields over the spatial axes for
// some frequencies of each axis. The others are zero.
type Transform struct {
	forward, inverse []*Node // for each axis, see New
}

// Lowest returns the frequencies 0 to limit−1 of an axis of n points, and not more than there
// are. half is for the last axis, which has only the frequencies 0 to n/2.
func Lowest(n, limit int, half bool) []int {
	if half {
		n = n/2 + 1
	}
	out := make([]int, min(limit, n))
	for i := range out {
		out[i] = i
	}
	return out
}

// Symmetric returns the frequencies −limit to limit−1 of an axis of n points, n ≥ 2·limit, as
// 0 to limit−1 and n−limit to n−1.
func Symmetric(n, limit int) []int {
	out := Lowest(n, limit, false)
	for i := range limit {
		out = append(out, n-limit+i)
	}
	return out
}

// New returns the transforms for tokens x [B, n…, E] at the given frequencies of each axis:
// from 0 to n−1, of the last axis from 0 to n/2. forward[a] is [2, k, 2, n], from real and
// imaginary parts of n values to those of k frequencies; for the last axis, whose values are
// real, it is [2, k, n]. inverse[a] is [2, n, 2, k], for the last axis [n, 2, k].
func New(x *Node, frequencies [][]int) Transform {
	f := Transform{}
	last := len(frequencies) - 1
	for axis, list := range frequencies {
		n, k := x.Shape().Dim(1+axis), len(list)
		if axis == last {
			f.forward = append(f.forward, table(x, []int{2, k, n}, func(at []int) float64 {
				c, s := unit(list[at[1]]*at[2], n)
				return []float64{c, -s}[at[0]]
			}))
			f.inverse = append(f.inverse, table(x, []int{n, 2, k}, func(at []int) float64 {
				c, s := unit(at[0]*list[at[2]], n)
				return []float64{c, -s}[at[1]] * multiplicity(list[at[2]], n)
			}))
			continue
		}
		f.forward = append(f.forward, table(x, []int{2, k, 2, n}, func(at []int) float64 {
			c, s := unit(list[at[1]]*at[3], n)
			return [2][2]float64{{c, s}, {-s, c}}[at[0]][at[2]]
		}))
		f.inverse = append(f.inverse, table(x, []int{2, n, 2, k}, func(at []int) float64 {
			c, s := unit(at[1]*list[at[3]], n)
			return [2][2]float64{{c, -s}, {s, c}}[at[0]][at[2]]
		}))
	}
	return f
}

// unit returns cosine and sine of 2πi/n, divided by √n. The sine of a multiple of half a
// rotation is exactly zero.
func unit(i, n int) (c, s float64) {
	i %= n
	scale := 1 / math.Sqrt(float64(n))
	if 2*i%n != 0 {
		s = scale * math.Sin(2*math.Pi*float64(i)/float64(n))
	}
	return scale * math.Cos(2*math.Pi*float64(i)/float64(n)), s
}

// multiplicity returns the number of frequencies ±k of n real values: k and n−k, which are
// equal for k = 0 and k = n/2.
func multiplicity(k, n int) float64 {
	if 2*k%n == 0 {
		return 1
	}
	return 2
}

// table returns a constant with the given dimensions and the type of x.
func table(x *Node, dims []int, value func(at []int) float64) *Node {
	size := 1
	for _, d := range dims {
		size *= d
	}
	flat, at := make([]float64, size), make([]int, len(dims))
	for i := range flat {
		rest := i
		for a := len(dims) - 1; a >= 0; a-- {
			at[a], rest = rest%dims[a], rest/dims[a]
		}
		flat[i] = value(at)
	}
	return Reshape(ConstAs(x, flat), dims...)
}

// Forward returns the spectrum [2, k…, B, E] of tokens x [B, n…, E], the real part first.
func (f Transform) Forward(x *Node) *Node {
	last := len(f.forward) - 1
	y := DotGeneral(f.forward[last], []int{2}, nil, x, []int{1 + last}, nil)
	for axis := last - 1; axis >= 0; axis-- {
		// y is [2, later frequencies…, B, axes up to this one…, E].
		y = DotGeneral(f.forward[axis], []int{2, 3}, nil, y, []int{0, y.Rank() - 2}, nil)
	}
	return y
}

// Inverse returns the real field [B, n…, E] of a spectrum [2, k…, B, E]. The spectrum
// need not be that of a real field: as in torch, the first axes are transformed as
// complex numbers, and the last one takes the imaginary parts of the frequencies 0 and n/2
// for zero.
func (f Transform) Inverse(y *Node) *Node {
	axes := len(f.inverse)
	for axis := range axes {
		matrix := f.inverse[axis]
		// y is [2, earlier axes, the latest first…, frequencies…, B, E].
		y = DotGeneral(matrix, []int{matrix.Rank() - 2, matrix.Rank() - 1}, nil, y, []int{0, 1 + axis}, nil)
	}
	order := []int{axes}
	for axis := axes - 1; axis >= 0; axis-- {
		order = append(order, axis)
	}
	return TransposeAllDims(y, append(order, axes+1)...)
}

// Dense returns z·w + b for z [N, M, 2K], real parts before imaginary parts, w [2, N, K, L] and
// b [2, N, L], which may be nil. N matrices each multiply M vectors.
func Dense(z, w, b *Node) *Node {
	part := func(x *Node, i int) *Node { return Squeeze(SliceAxis(x, 0, AxisElem(i)), 0) }
	re, im := part(w, 0), part(w, 1)
	matrix := Concatenate([]*Node{
		Concatenate([]*Node{re, im}, 2),
		Concatenate([]*Node{Neg(im), re}, 2),
	}, 1)
	y := DotGeneral(z, []int{2}, []int{0}, matrix, []int{1}, []int{0})
	if b == nil {
		return y
	}
	return Add(y, ExpandAxes(Concatenate([]*Node{part(b, 0), part(b, 1)}, 1), 1))
}
