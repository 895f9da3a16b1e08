package solve

import (
	"math"
	"math/rand/v2"
	"slices"
)

// grids2D and grids3D are the grids of a [Variety], square and oblong.
var (
	grids2D = [][]int{{24, 24}, {32, 32}, {40, 40}, {48, 48}, {64, 64}, {80, 80}, {96, 96},
		{32, 64}, {64, 32}, {48, 24}, {24, 48}, {96, 32}, {32, 96}, {64, 48}, {48, 80}}
	grids3D = [][]int{{12, 12, 12}, {16, 16, 16}, {20, 20, 20}, {24, 24, 24},
		{16, 16, 24}, {24, 16, 16}, {12, 20, 12}, {24, 12, 12}, {16, 24, 20}}
)

// square returns the lengths of a box whose cells on a grid are square and whose shortest
// side has the given length.
func square(grid []int, shortest float64) []float64 {
	out := make([]float64, len(grid))
	for a, n := range grid {
		out[a] = shortest * float64(n) / float64(slices.Min(grid))
	}
	return out
}

// cells returns the lengths of a box whose cells have the given side.
func cells(grid []int, side float64) []float64 { return square(grid, side*float64(slices.Min(grid))) }

// scalarStarts names the kinds of random fields that [periodic.pattern] draws.
var scalarStarts = []string{"random", "rough", "narrow", "blobs", "patches", "stripes", "rings"}

// pattern draws a random field with values of order 1, of a kind in [scalarStarts].
func (b *periodic) pattern(rng *rand.Rand, kind string) []float64 {
	top := float64(slices.Min(b.n)) / 8
	switch kind {
	case "rough":
		return b.powerLaw(rng, 1.5+2*rng.Float64())
	case "narrow":
		return b.band(rng, 2+(top-2)*rng.Float64())
	case "blobs":
		return b.blobs(rng, 1+rng.IntN(8))
	case "patches":
		waves := 1 + min(3, top/1.5-1)*rng.Float64()
		out := b.random(rng, waves)
		// Edges must be wider than a cell.
		sharp, level := min(logUniform(rng, 2, 10), 1.6*top/waves), 0.5*rng.NormFloat64()
		for p, v := range out {
			out[p] = math.Tanh(sharp * (v - level))
		}
		return out
	case "stripes":
		return b.stripes(rng)
	case "rings":
		return b.rings(rng, 1+rng.IntN(3))
	}
	return b.random(rng, 1+(min(6, top)-1)*rng.Float64())
}

// centred subtracts the mean of a field.
func centred(f []float64) {
	mean := 0.0
	for _, v := range f {
		mean += v / float64(len(f))
	}
	for i := range f {
		f[i] -= mean
	}
}

// narrowest returns the smallest width of a Gaussian that the grid resolves.
func (b *periodic) narrowest() float64 {
	cell := 0.0
	for a, l := range b.length {
		cell = max(cell, l/float64(b.n[a]))
	}
	return 1.3 * cell
}

// somewhere draws a point in the box.
func (b *periodic) somewhere(rng *rand.Rand) []float64 {
	out := make([]float64, len(b.length))
	for a, l := range b.length {
		out[a] = l * rng.Float64()
	}
	return out
}

// toward returns the shortest vector between two points in the periodic box.
func (b *periodic) toward(from, to []float64) []float64 {
	out := make([]float64, len(from))
	for a, l := range b.length {
		out[a] = to[a] - from[a] - l*math.Round((to[a]-from[a])/l)
	}
	return out
}

// blobs returns n Gaussians with random signs, widths and aspect ratios.
func (b *periodic) blobs(rng *rand.Rand, n int) []float64 {
	out, side := make([]float64, b.points), slices.Min(b.length)
	for i := range n {
		centre, height := b.somewhere(rng), 0.3+rng.Float64()
		if i > 0 && rng.IntN(3) == 0 {
			height = -height
		}
		widths := make([]float64, len(b.n))
		for a := range widths {
			widths[a] = max(b.narrowest(), side*logUniform(rng, 0.04, 0.16))
		}
		for p := range out {
			sum := 0.0
			for a, d := range b.toward(centre, b.position(p)) {
				sum += d * d / (2 * widths[a] * widths[a])
			}
			out[p] += height * math.Exp(-sum)
		}
	}
	return out
}

// rings returns smooth circles or shells.
func (b *periodic) rings(rng *rand.Rand, n int) []float64 {
	out, side := make([]float64, b.points), slices.Min(b.length)
	for range n {
		centre, height := b.somewhere(rng), 0.4+rng.Float64()
		radius, width := side*(0.12+0.22*rng.Float64()), max(b.narrowest(), side*(0.035+0.03*rng.Float64()))
		for p := range out {
			square := 0.0
			for _, d := range b.toward(centre, b.position(p)) {
				square += d * d
			}
			d := (math.Sqrt(square) - radius) / width
			out[p] += height * math.Exp(-d*d/2)
		}
	}
	return out
}

// stripes returns bands along a random lattice direction, with edges of random sharpness,
// plus a weak random field.
func (b *periodic) stripes(rng *rand.Rand) []float64 {
	modes := make([]int, len(b.n))
	for a, n := range b.n {
		most := max(1, min(4, n/10))
		modes[a] = rng.IntN(2*most+1) - most
	}
	if slices.Max(modes) == 0 && slices.Min(modes) == 0 {
		modes[rng.IntN(len(modes))] = 1
	}
	out, noise := make([]float64, b.points), b.random(rng, 2)
	phase := 2 * math.Pi * rng.Float64()
	b.addWave(out, modes, math.Cos(phase), math.Sin(phase))
	sharp := logUniform(rng, 0.3, 4)
	for p, v := range out {
		out[p] = math.Tanh(sharp*v)/math.Tanh(sharp) + 0.15*noise[p]
	}
	return out
}
