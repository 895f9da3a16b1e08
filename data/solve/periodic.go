package solve

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// periodic is a periodic box with its Fourier transform. Fields are in row-major order over
// the grid.
type periodic struct {
	n      []int
	length []float64
	points int
	fft    []*fourier.CmplxFFT
	line   []complex128
	buffer []complex128
	// k holds the wave number of each mode along each axis; it is 0 at the highest mode,
	// whose derivative is not a real field. k2 is the square of the wave vector.
	k  [][]float64
	k2 []float64
	// keep marks the modes below two thirds of the highest one, which are free of aliasing
	// in products of two fields.
	keep []bool
	// opposite holds the index of the mode with the negative wave vector.
	opposite []int
}

func newPeriodic(n []int, length []float64) *periodic {
	b := &periodic{n: n, length: length, points: 1}
	for _, x := range n {
		b.points *= x
		b.fft = append(b.fft, fourier.NewCmplxFFT(x))
	}
	b.line, b.buffer = make([]complex128, slices.Max(n)), make([]complex128, b.points)
	b.k2, b.keep = make([]float64, b.points), make([]bool, b.points)
	for i := range b.keep {
		b.keep[i] = true
	}
	b.opposite = make([]int, b.points)
	stride := b.points
	for a, x := range n {
		stride /= x
		for p := range b.opposite {
			b.opposite[p] += (x - p/stride%x) % x * stride
		}
		k := make([]float64, b.points)
		for p := range k {
			m := p / stride % x
			if m > x/2 {
				m -= x
			}
			w := 2 * math.Pi * float64(m) / length[a]
			b.k2[p] += w * w
			if m != x/2 {
				k[p] = w
			}
			b.keep[p] = b.keep[p] && 3*abs(m) < x
		}
		b.k = append(b.k, k)
	}
	return b
}

func abs(i int) int { return max(i, -i) }

// transform applies the transform along every axis in place.
func (b *periodic) transform(v []complex128, back bool) {
	stride := b.points
	for a, n := range b.n {
		slab := stride
		stride /= n
		apply, line := b.fft[a].Coefficients, b.line[:n]
		if back {
			apply = b.fft[a].Sequence
		}
		for p := 0; p < b.points; p += slab {
			for first := p; first < p+stride; first++ {
				for i := range line {
					line[i] = v[first+i*stride]
				}
				for i, x := range apply(line, line) {
					v[first+i*stride] = x
				}
			}
		}
	}
}

// forward returns the modes of a real field, one per point.
func (b *periodic) forward(dst []complex128, src []float64) []complex128 {
	if dst == nil {
		dst = make([]complex128, b.points)
	}
	for i, v := range src {
		dst[i] = complex(v, 0)
	}
	b.transform(dst, false)
	return dst
}

// inverse returns the field of the given modes.
func (b *periodic) inverse(dst []float64, src []complex128) []float64 {
	if dst == nil {
		dst = make([]float64, b.points)
	}
	copy(b.buffer, src)
	b.transform(b.buffer, true)
	for i, v := range b.buffer {
		dst[i] = real(v) / float64(b.points)
	}
	return dst
}

// derivative returns the derivative along an axis of the field of the given modes.
func (b *periodic) derivative(dst []float64, src []complex128, axis int) []float64 {
	if dst == nil {
		dst = make([]float64, b.points)
	}
	k := b.k[axis]
	for i, v := range src {
		b.buffer[i] = complex(-k[i]*imag(v), k[i]*real(v))
	}
	b.transform(b.buffer, true)
	for i, v := range b.buffer {
		dst[i] = real(v) / float64(b.points)
	}
	return dst
}

// dealias sets the modes that aliasing affects to 0.
func (b *periodic) dealias(v []complex128) {
	for i, keep := range b.keep {
		if !keep {
			v[i] = 0
		}
	}
}

// position returns the centre of a cell.
func (b *periodic) position(p int) []float64 {
	out := make([]float64, len(b.n))
	for a := len(b.n) - 1; a >= 0; a-- {
		out[a] = (float64(p%b.n[a]) + 0.5) * b.length[a] / float64(b.n[a])
		p /= b.n[a]
	}
	return out
}
