package solve

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// periodic is a box that wraps around, with its Fourier transform. Values lie
// row major over the grid.
type periodic struct {
	n      []int
	length []float64
	points int
	fft    []*fourier.CmplxFFT
	line   []complex128
	buffer []complex128
	// k holds the wave number of each mode along each axis; 0 at the highest one,
	// of which a real field has no derivative. k2 is the square of the whole
	// vector.
	k  [][]float64
	k2 []float64
	// keep marks the modes below two thirds of the highest, which products of two
	// fields do not alias into.
	keep []bool
}

func newPeriodic(n []int, length []float64) *periodic {
	b := &periodic{n: n, length: length, points: 1}
	longest := 0
	for _, x := range n {
		b.points *= x
		longest = max(longest, x)
		b.fft = append(b.fft, fourier.NewCmplxFFT(x))
	}
	b.line, b.buffer = make([]complex128, longest), make([]complex128, b.points)
	b.k2, b.keep = make([]float64, b.points), make([]bool, b.points)
	for i := range b.keep {
		b.keep[i] = true
	}
	stride := b.points
	for a, x := range n {
		stride /= x
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

// transform runs the transform along every axis in place.
func (b *periodic) transform(v []complex128, back bool) {
	stride := b.points
	for a, n := range b.n {
		stride /= n
		line := b.line[:n]
		for p := range b.points {
			if p/stride%n != 0 {
				continue
			}
			for i := range line {
				line[i] = v[p+i*stride]
			}
			if back {
				b.fft[a].Sequence(line, line)
			} else {
				b.fft[a].Coefficients(line, line)
			}
			for i, x := range line {
				v[p+i*stride] = x
			}
		}
	}
}

// forward returns the modes of a real field, as many as it has points.
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

// inverse returns the field of modes.
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

// derivative returns the field of the derivative of modes along an axis.
func (b *periodic) derivative(dst []float64, src []complex128, axis int) []float64 {
	if dst == nil {
		dst = make([]float64, b.points)
	}
	for i, v := range src {
		b.buffer[i] = complex(0, b.k[axis][i]) * v
	}
	b.transform(b.buffer, true)
	for i, v := range b.buffer {
		dst[i] = real(v) / float64(b.points)
	}
	return dst
}

// dealias drops the modes that products spoil.
func (b *periodic) dealias(v []complex128) {
	for i, keep := range b.keep {
		if !keep {
			v[i] = 0
		}
	}
}

// random returns a smooth random field with mean 0 and mean square 1: its modes
// have Gaussian amplitudes that fall off beyond the given number of waves in the
// box. The amplitudes do not depend on the grid.
func (b *periodic) random(rng *rand.Rand, waves float64) []float64 {
	out := make([]float64, b.points)
	top := int(math.Ceil(2 * waves))
	modes := make([]int, len(b.n))
	var walk func(axis int, square float64)
	walk = func(axis int, square float64) {
		if axis < len(b.n) {
			for m := -top; m <= top; m++ {
				modes[axis] = m
				walk(axis+1, square+float64(m*m))
			}
			return
		}
		re, im := rng.NormFloat64(), rng.NormFloat64()
		if square == 0 || square > float64(top*top) {
			return
		}
		amplitude := math.Exp(-square / (2 * waves * waves))
		b.addWave(out, modes, amplitude*re, amplitude*im)
	}
	walk(0, 0)
	norm := 0.0
	for _, v := range out {
		norm += v * v
	}
	norm = math.Sqrt(norm / float64(b.points))
	for i := range out {
		out[i] /= norm
	}
	return out
}

// addWave adds a·cos(φ) + b·sin(φ), φ being the phase of a mode at the centres
// of the cells.
func (b *periodic) addWave(out []float64, modes []int, re, im float64) {
	for p := range out {
		phase, rest := 0.0, p
		for a := len(b.n) - 1; a >= 0; a-- {
			phase += float64(modes[a]) * (float64(rest%b.n[a]) + 0.5) / float64(b.n[a])
			rest /= b.n[a]
		}
		sin, cos := math.Sincos(2 * math.Pi * phase)
		out[p] += re*cos + im*sin
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
