package dpot

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// fourier computes orthonormal Fourier transforms of real fields over the spatial axes, and
// keeps only the lowest non-negative frequencies of each axis. It computes them as matrix
// products with cosines and sines: the pure Go backend has no FFT, and axes of tokens are
// short.
type fourier struct {
	forward, inverse []*Node // for each axis, see newFourier
}

// newFourier returns the transforms for tokens x [B, n…, E] that keep at most modes[a]
// frequencies of axis a. forward[a] is [2, k, 2, n], from real and imaginary parts of n
// values to those of k frequencies; for the last axis, whose values are real, it is
// [2, k, n]. inverse[a] is [2, n, 2, k], for the last axis [n, 2, k].
func newFourier(x *Node, modes []int) fourier {
	f := fourier{}
	last := len(modes) - 1
	for axis, limit := range modes {
		n := x.Shape().Dim(1 + axis)
		if axis == last {
			k := min(limit, n/2+1)
			f.forward = append(f.forward, table(x, []int{2, k, n}, func(at []int) float64 {
				c, s := unit(at[1]*at[2], n)
				return []float64{c, -s}[at[0]]
			}))
			f.inverse = append(f.inverse, table(x, []int{n, 2, k}, func(at []int) float64 {
				c, s := unit(at[0]*at[2], n)
				return []float64{c, -s}[at[1]] * multiplicity(at[2], n)
			}))
			continue
		}
		k := min(limit, n)
		f.forward = append(f.forward, table(x, []int{2, k, 2, n}, func(at []int) float64 {
			c, s := unit(at[1]*at[3], n)
			return [2][2]float64{{c, s}, {-s, c}}[at[0]][at[2]]
		}))
		f.inverse = append(f.inverse, table(x, []int{2, n, 2, k}, func(at []int) float64 {
			c, s := unit(at[1]*at[3], n)
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

// transform returns the spectrum [2, k…, B, E] of tokens x [B, n…, E], the real part first.
func (f fourier) transform(x *Node) *Node {
	last := len(f.forward) - 1
	y := DotGeneral(f.forward[last], []int{2}, nil, x, []int{1 + last}, nil)
	for axis := last - 1; axis >= 0; axis-- {
		// y is [2, later frequencies…, B, axes up to this one…, E].
		y = DotGeneral(f.forward[axis], []int{2, 3}, nil, y, []int{0, y.Rank() - 2}, nil)
	}
	return y
}

// restore returns the real field [B, n…, E] of a spectrum [2, k…, B, E]. The spectrum
// need not be that of a real field: as in the original, the first axes are transformed as
// complex numbers, and the last one takes the imaginary parts of the frequencies 0 and n/2
// for zero.
func (f fourier) restore(y *Node) *Node {
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
