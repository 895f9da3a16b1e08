package solve

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
)

// periodic is a box that wraps around, with its Fourier transform. Values lie
// row major over the grid.
type periodic struct {
	n      []int
	length []float64
	points int
	fft    []*fft
	work   []complex128
	buffer []complex128
	// k holds the wave number of each mode along each axis; 0 at the highest one,
	// of which a real field has no derivative. k2 is the square of the whole
	// vector.
	k  [][]float64
	k2 []float64
	// keep marks the modes below two thirds of the highest, which products of two
	// fields do not alias into.
	keep []bool
	// opposite is the index of the mode with the negative wave vector.
	opposite []int
}

func newPeriodic(n []int, length []float64) *periodic {
	b := &periodic{n: n, length: length, points: 1}
	for _, x := range n {
		b.points *= x
		b.fft = append(b.fft, newFFT(x))
	}
	b.work, b.buffer = make([]complex128, b.points), make([]complex128, b.points)
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

// transform runs the transform along every axis in place.
func (b *periodic) transform(v []complex128, back bool) {
	stride := b.points
	for a, n := range b.n {
		slab := stride
		stride /= n
		for p := 0; p < b.points; p += slab {
			b.fft[a].lines(v[p:p+slab], b.work[p:p+slab], stride, back)
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

// inverse2 sets two fields from their modes with one transform.
func (b *periodic) inverse2(first, second []float64, p, q []complex128) {
	for i, v := range p {
		w := q[i]
		b.buffer[i] = complex(real(v)-imag(w), imag(v)+real(w))
	}
	b.transform(b.buffer, true)
	scale := 1 / float64(b.points)
	for i, v := range b.buffer {
		first[i], second[i] = real(v)*scale, imag(v)*scale
	}
}

// inverses sets fields from their modes, two at a time.
func (b *periodic) inverses(dst [][]float64, src [][]complex128) {
	i := 0
	for ; i+1 < len(src); i += 2 {
		b.inverse2(dst[i], dst[i+1], src[i], src[i+1])
	}
	if i < len(src) {
		b.inverse(dst[i], src[i])
	}
}

// forward2 sets the modes of two real fields with one transform.
func (b *periodic) forward2(p, q []complex128, first, second []float64) {
	for i, v := range first {
		b.buffer[i] = complex(v, second[i])
	}
	b.transform(b.buffer, false)
	for i, v := range b.buffer {
		w := b.buffer[b.opposite[i]]
		p[i] = complex((real(v)+real(w))/2, (imag(v)-imag(w))/2)
		q[i] = complex((imag(v)+imag(w))/2, (real(w)-real(v))/2)
	}
}

// forwards sets the modes of real fields, two at a time.
func (b *periodic) forwards(dst [][]complex128, src [][]float64) {
	i := 0
	for ; i+1 < len(src); i += 2 {
		b.forward2(dst[i], dst[i+1], src[i], src[i+1])
	}
	if i < len(src) {
		b.forward(dst[i], src[i])
	}
}

// derivative returns the field of the derivative of modes along an axis.
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

// gradient sets the fields of the derivatives of modes along all axes.
func (b *periodic) gradient(dst [][]float64, src []complex128) {
	axis := 0
	for ; axis+1 < len(b.n); axis += 2 {
		k, l := b.k[axis], b.k[axis+1]
		for i, v := range src {
			// i·k·v + i·(i·l·v): the second derivative is the imaginary part.
			re, im := real(v), imag(v)
			b.buffer[i] = complex(-k[i]*im-l[i]*re, k[i]*re-l[i]*im)
		}
		b.transform(b.buffer, true)
		scale := 1 / float64(b.points)
		for i, v := range b.buffer {
			dst[axis][i], dst[axis+1][i] = real(v)*scale, imag(v)*scale
		}
	}
	if axis < len(b.n) {
		b.derivative(dst[axis], src, axis)
	}
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
	top := int(math.Ceil(2 * waves))
	clear(b.buffer)
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
		// re·cos φ + im·sin φ, φ at the centre of a cell, is the real part of this.
		phase, at := 0.0, 0
		for a, m := range modes {
			n := b.n[a]
			phase += float64(m) / float64(n)
			at = at*n + (m%n+n)%n
		}
		b.buffer[at] += complex(amplitude*re, -amplitude*im) * cmplx.Rect(1, math.Pi*phase)
	}
	walk(0, 0)
	return b.synthesize()
}

// synthesize returns the real part of the field of the modes in the buffer, with mean
// square 1.
func (b *periodic) synthesize() []float64 {
	b.transform(b.buffer, true)
	out := make([]float64, b.points)
	for i, v := range b.buffer {
		out[i] = real(v)
	}
	normalize(out)
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
