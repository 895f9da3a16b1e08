package solve

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
)

// random returns a smooth random field with mean 0 and mean square 1. Its modes have
// Gaussian amplitudes that decay beyond the given number of waves per box. The amplitudes
// do not depend on the grid.
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
		// This is the complex number whose real part is re·cos φ + im·sin φ, with φ at the
		// centre of a cell.
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

// synthesize returns the real part of the field of the modes in the buffer, scaled to mean
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

// addWave adds re·cos(φ) + im·sin(φ), where φ is the phase of a mode at the cell centres.
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

// powerLaw returns a field whose amplitudes decay as a power of the wave number.
func (b *periodic) powerLaw(rng *rand.Rand, power float64) []float64 {
	top := float64(slices.Min(b.n)) / 3
	return b.spectrum(rng, top, func(k float64) float64 { return math.Pow(k, -power) })
}

// band returns a field whose wave numbers are close to centre.
func (b *periodic) band(rng *rand.Rand, centre float64) []float64 {
	return b.spectrum(rng, centre+2, func(k float64) float64 { return math.Exp(-2 * (k - centre) * (k - centre)) })
}

// spectrum returns a random field with mean 0 and mean square 1 whose modes have Gaussian
// amplitudes times a function of the wave number. Wave numbers are in waves per shortest
// side of the box; top is the largest one.
func (b *periodic) spectrum(rng *rand.Rand, top float64, amplitude func(k float64) float64) []float64 {
	unit := 2 * math.Pi / slices.Min(b.length)
	for i, square := range b.k2 {
		re, im := rng.NormFloat64(), rng.NormFloat64()
		k := math.Sqrt(square) / unit
		if k == 0 || k > top {
			b.buffer[i] = 0
			continue
		}
		a := amplitude(k)
		b.buffer[i] = complex(a*re, a*im)
	}
	return b.synthesize()
}

// normalize scales a field to mean square 1.
func normalize(f []float64) {
	norm := 0.0
	for _, v := range f {
		norm += v * v
	}
	norm = math.Sqrt(norm / float64(len(f)))
	for i := range f {
		f[i] /= norm
	}
}
