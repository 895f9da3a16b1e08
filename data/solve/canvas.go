package solve

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// canvas draws random fields on a grid, from which initial states are composed.
type canvas struct {
	*periodic
	rng *rand.Rand
	// side is the length of the shortest axis, the unit of all sizes.
	side float64
}

// newCanvas returns a canvas for a case. Its cells are squares or cubes: the shortest axis
// of the grid gets the length of the system's shortest axis, and the other axes get lengths
// in proportion to their points.
func newCanvas(u Setup) *canvas {
	side, n := slices.Min(u.system.Length), slices.Min(u.Grid)
	length := make([]float64, len(u.Grid))
	for a, x := range u.Grid {
		length[a] = side * float64(x) / float64(n)
	}
	return &canvas{periodic: newPeriodic(u.Grid, length), rng: u.Rng, side: side}
}

func (c *canvas) between(low, high float64) float64 { return low + c.rng.Float64()*(high-low) }

// count draws an integer from [low, high].
func (c *canvas) count(low, high int) int { return low + c.rng.IntN(high-low+1) }

// point draws a position in the box.
func (c *canvas) point() []float64 {
	out := make([]float64, len(c.length))
	for a, l := range c.length {
		out[a] = l * c.rng.Float64()
	}
	return out
}

// direction draws a unit vector.
func (c *canvas) direction() []float64 {
	out, norm := make([]float64, len(c.length)), 0.0
	for a := range out {
		out[a] = c.rng.NormFloat64()
		norm += out[a] * out[a]
	}
	for a := range out {
		out[a] /= math.Sqrt(norm)
	}
	return out
}

// field evaluates a function at all cell centres.
func (c *canvas) field(f func(x []float64) float64) []float64 {
	out := make([]float64, c.points)
	for p := range out {
		out[p] = f(c.position(p))
	}
	return out
}

// smooth draws a periodic field with mean 0 and mean square 1. Its modes have Gaussian
// amplitudes that decay beyond the given number of waves per shortest side. The amplitudes
// do not depend on the number of points.
func (c *canvas) smooth(waves float64) []float64 {
	hat := make([]complex128, c.points)
	c.drawModes(hat, 0, 0, 0, 0, waves)
	out := c.inverse(nil, hat)
	sum := 0.0
	for _, v := range out {
		sum += v * v
	}
	scale := math.Sqrt(sum / float64(c.points))
	for p := range out {
		out[p] /= scale
	}
	return out
}

// drawModes draws the modes along the given axis and the axes after it. The arguments carry
// the contribution of the axes before it: index is the position in hat, square the sum of
// (waves per shortest side)², and phase the phase at the centre of the first cell.
func (c *canvas) drawModes(hat []complex128, axis, index int, square, phase, waves float64) {
	if axis == len(c.n) {
		re, im := c.rng.NormFloat64(), c.rng.NormFloat64()
		if index > 0 { // index 0 is the mean, which is 0; modes too fine for the grid have a negative index
			hat[index] = cmplx.Rect(math.Exp(-square/(2*waves*waves)), phase) * complex(re, im)
		}
		return
	}
	n, aspect := c.n[axis], c.length[axis]/c.side
	top := int(math.Ceil(2.5 * waves * aspect))
	for m := -top; m <= top; m++ {
		next := index*n + (m+n)%n
		if index < 0 || 2*abs(m) >= n {
			next = -1
		}
		c.drawModes(hat, axis+1, next, square+float64(m*m)/(aspect*aspect), phase+math.Pi*float64(m)/float64(n), waves)
	}
}

// offset returns the vector from one position to another, the shortest one along periodic
// axes.
func (c *canvas) offset(from, to []float64, bcs data.Boundaries) []float64 {
	out := make([]float64, len(from))
	for a := range out {
		out[a] = to[a] - from[a]
		if bcs[a].IsPeriodic() {
			out[a] -= c.length[a] * math.Round(out[a]/c.length[a])
		}
	}
	return out
}

func norm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// bumps returns the sum of n Gaussians with amplitudes between low and high and widths
// between 0.05 and 0.15 of the shortest side.
func (c *canvas) bumps(n int, low, high float64, bcs data.Boundaries) []float64 {
	out := make([]float64, c.points)
	for range n {
		centre, height, width := c.point(), c.between(low, high), c.side*c.between(0.05, 0.15)
		for p, v := range c.field(func(x []float64) float64 {
			r := norm(c.offset(centre, x, bcs)) / width
			return math.Exp(-r * r / 2)
		}) {
			out[p] += height * v
		}
	}
	return out
}

// balls returns a field that is 1 in n discs (balls in 3D) and 0 elsewhere.
func (c *canvas) balls(n int) []float64 {
	out := make([]float64, c.points)
	for range n {
		centre, radius := c.point(), c.side*c.between(0.06, 0.2)
		for p := range out {
			x := c.position(p)
			for a := range x {
				x[a] -= centre[a]
			}
			if norm(x) < radius {
				out[p] = 1
			}
		}
	}
	return out
}

// blocks divides the box into between least and most slices along each axis. It returns the
// index of each cell's block and the number of blocks.
func (c *canvas) blocks(least, most int) ([]int, int) {
	cuts, total := make([][]float64, len(c.length)), 1
	for a, l := range c.length {
		slices := c.count(least, most)
		for i := 1; i < slices; i++ {
			// Cuts are at least a fifth of an even slice apart.
			cuts[a] = append(cuts[a], l*(float64(i)+c.between(-0.4, 0.4))/float64(slices))
		}
		total *= slices
	}
	out := make([]int, c.points)
	for p := range out {
		for a, x := range c.position(p) {
			index := 0
			for _, cut := range cuts[a] {
				if x > cut {
					index++
				}
			}
			out[p] = out[p]*(len(cuts[a])+1) + index
		}
	}
	return out, total
}

// planes and boxes are the grids from which 2D and 3D runs are drawn.
var (
	planes = [][]int{{24, 24}, {32, 32}, {48, 48}, {64, 64}, {96, 96}, {32, 64}, {64, 32}, {48, 24}, {24, 48}, {96, 32}, {36, 36}, {40, 56}, {80, 48}}
	boxes  = [][]int{{12, 12, 12}, {16, 16, 16}, {20, 20, 20}, {24, 24, 24}, {24, 16, 12}, {12, 24, 16}, {16, 12, 24}, {24, 12, 12}, {20, 16, 16}}
)
