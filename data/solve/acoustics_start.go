package solve

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// soundStarts names the initial states of acoustics. All but the first have a medium drawn
// by [canvas.medium].
var soundStarts = []string{"ring in inclusions", "pulses", "plane wave", "random waves", "travelling waves"}

// ends returns all combinations of walls, open ends and periodic axes in 2D that differ by
// more than a rotation or a reflection.
func ends() []data.Boundaries {
	around, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	mixed := data.Boundary{Low: data.Wall, High: data.Open}
	return []data.Boundaries{
		{around, around}, {wall, wall}, {open, open}, {mixed, mixed}, {around, wall}, {around, open}, {wall, open}, {wall, mixed},
		{open, mixed}, {around, mixed},
	}
}

// medium draws a density between 1 and contrast: homogeneous, threshold inclusions, discs,
// layers, blocks, or smooth.
func (c *canvas) medium(contrast float64) []float64 {
	base := c.between(1, 2)
	share := make([]float64, c.points) // 0 is the base, 1 the contrast
	switch c.count(0, 5) {
	case 0:
	case 1:
		for p, v := range c.smooth(c.between(1, 3)) {
			if v > 0.8 {
				share[p] = 1
			}
		}
	case 2:
		share = c.balls(c.count(1, 6))
	case 3:
		axis, phase := c.rng.IntN(len(c.n)), c.rng.Float64()
		layers := float64(c.count(1, 3))
		share = c.field(func(x []float64) float64 {
			return math.Mod(math.Floor(2*layers*x[axis]/c.length[axis]+phase), 2)
		})
	case 4:
		index, n := c.blocks(2, 5)
		levels := make([]float64, n)
		for i := range levels {
			levels[i] = c.rng.Float64()
		}
		for p, i := range index {
			share[p] = levels[i]
		}
	case 5:
		for p, v := range c.smooth(c.between(0.5, 2)) {
			share[p] = 1 / (1 + math.Exp(-2*v))
		}
	}
	for p, v := range share {
		share[p] = base * math.Pow(contrast/base, v)
	}
	return share
}

// sound draws the pressure and the velocity of an initial state in a medium.
func (c *canvas) sound(kind string, bcs data.Boundaries, density []float64) (pressure []float64, velocity [][]float64) {
	velocity = make([][]float64, len(c.n))
	for a := range velocity {
		velocity[a] = make([]float64, c.points)
	}
	switch kind {
	case "shell in inclusions":
		centre := c.point()
		pressure = c.field(func(x []float64) float64 {
			shell := (norm(c.offset(centre, x, bcs)) - 0.25) / 0.12
			return math.Exp(-shell * shell)
		})
	case "pulses":
		pressure = c.bumps(c.count(1, 5), -1, 1, bcs)
	case "plane wave":
		pressure = c.front(bcs, density, velocity)
	case "random waves":
		pressure = c.smooth(c.between(0.7, 3))
		if c.rng.IntN(2) == 0 {
			speed := c.between(0.2, 0.8)
			for a := range velocity {
				for p, v := range c.smooth(c.between(0.7, 3)) {
					velocity[a][p] = speed * v
				}
			}
		}
	default:
		pressure = make([]float64, c.points)
		for range c.count(1, 3) {
			c.travelling(pressure, velocity, density)
		}
	}
	return pressure, velocity
}

// front draws a Gaussian front that moves to one side or splits. Along periodic axes it is
// uniform.
func (c *canvas) front(bcs data.Boundaries, density []float64, velocity [][]float64) []float64 {
	way := c.direction()
	if slices.ContainsFunc(bcs, data.Boundary.IsPeriodic) {
		axis := c.rng.IntN(len(way))
		for a := range way {
			way[a] = 0
		}
		way[axis] = float64(2*c.rng.IntN(2) - 1)
	}
	centre, width, moves := c.point(), c.side*c.between(0.05, 0.15), float64(c.rng.IntN(2))
	out := c.field(func(x []float64) float64 {
		d := dot(way, c.offset(centre, x, bcs)) / width
		return math.Exp(-d * d / 2)
	})
	for p, v := range out {
		for a := range way {
			velocity[a][p] = moves * way[a] * v / math.Sqrt(bulkModulus*density[p])
		}
	}
	return out
}

// travelling adds a sinusoidal travelling wave that fits into the periodic box.
func (c *canvas) travelling(pressure []float64, velocity [][]float64, density []float64) {
	k := make([]float64, len(c.n))
	for norm(k) == 0 {
		for a, l := range c.length {
			most := max(1, int(3*l/c.side))
			k[a] = 2 * math.Pi * float64(c.count(-most, most)) / l
		}
	}
	height, phase, length := c.between(0.3, 1), c.between(0, 2*math.Pi), norm(k)
	for p, v := range c.field(func(x []float64) float64 { return height * math.Cos(dot(k, x)+phase) }) {
		pressure[p] += v
		for a := range velocity {
			velocity[a][p] += k[a] / length * v / math.Sqrt(bulkModulus*density[p])
		}
	}
}

// startSound starts a run of one of soundStarts, except the first.
func startSound(u Setup) (Run, error) {
	c := newCanvas(u)
	r := newSound(u.Grid, c.length, u.Boundaries)
	if u.Start == "travelling waves" && c.rng.IntN(2) == 0 {
		// In half of the runs the medium is homogeneous and does not disturb the waves.
		base := c.between(1, 2)
		for p := range r.density {
			r.density[p] = base
		}
	} else {
		copy(r.density, c.medium(u.Values["contrast"]))
	}
	pressure, velocity := c.sound(u.Start, u.Boundaries, r.density)
	copy(r.state[0], pressure)
	r.toFaces(velocity[0], velocity[1])
	return r, nil
}
