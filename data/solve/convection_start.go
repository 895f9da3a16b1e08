package solve

import (
	"math"
	"slices"
)

// convectionStarts names the initial states of Rayleigh–Bénard convection.
var convectionStarts = []string{"conduction", "plumes", "rolls", "stirred"}

// fitConvection restricts a drawn case to parameters that the grid can resolve at
// reasonable cost: boundary layers must span a few cells, fast diffusion on a fine grid
// needs too many time steps, and conduction needs time before the fluid moves.
func fitConvection(c *Case) {
	limit := func(name string, low, high float64) {
		c.Values[name] = min(max(c.Values[name], low), high)
	}
	rows := float64(c.Grid[1])
	limit("Rayleigh", 0, 8*rows*rows*rows*math.Sqrt(min(1, c.Values["Prandtl"])))
	if c.Start == convectionStarts[0] {
		limit("spin_up", 6, math.Inf(1))
		limit("Rayleigh", 3e4, math.Inf(1))
		limit("Prandtl", 0.3, 3)
	} else {
		limit("spin_up", 0, 3)
	}
}

// startConvection starts a run of one of convectionStarts, except the first. The box has
// height 1 and square cells.
func startConvection(u Setup) (Run, error) {
	length := []float64{float64(u.Grid[0]) / float64(u.Grid[1]), 1}
	c := &canvas{periodic: newPeriodic(u.Grid, length), rng: u.Rng, side: slices.Min(length)}
	r := newConvection(u.Grid, length, u.Values["Rayleigh"], u.Values["Prandtl"])
	disturbance, stream := make([]float64, c.points), make([]float64, c.points)
	switch u.Start {
	case "plumes":
		disturbance = c.bumps(c.count(2, 6), -0.5, 0.5, u.Boundaries)
	case "rolls":
		waves := 2 * math.Pi * float64(c.count(1, max(1, int(math.Round(length[0]))))) / length[0]
		phase, speed := c.between(0, 2*math.Pi), c.between(0.03, 0.12)
		stream = c.field(func(x []float64) float64 { return speed * math.Cos(waves*x[0]+phase) })
		disturbance = c.smooth(2)
		for p := range disturbance {
			disturbance[p] *= 0.1
		}
	case "stirred":
		scale, speed := c.between(0.05, 0.3), c.between(0.01, 0.06)
		for p, v := range c.smooth(c.between(1, 2.5)) {
			disturbance[p] = scale * v
		}
		for p, v := range c.smooth(c.between(0.7, 2)) {
			stream[p] = speed * v
		}
	}
	for p := range r.q[0] {
		y := c.position(p)[1]
		envelope := math.Sin(math.Pi * y)
		r.q[0][p] = 1 - y + disturbance[p]*envelope
		stream[p] *= envelope * envelope
	}
	r.curl(stream)
	return r, r.Advance(u.Values["spin_up"])
}

// curl sets the velocity to the curl of a stream function at the cell centres, which is
// free of divergence.
func (s *convection) curl(stream []float64) {
	// corner returns the stream function at the lower left corner of a cell, 0 on the
	// walls.
	corner := func(i, j int) float64 {
		if j <= 0 || j >= s.ny {
			return 0
		}
		return (stream[s.at(i, j)] + stream[s.at(i-1, j)] + stream[s.at(i, j-1)] + stream[s.at(i-1, j-1)]) / 4
	}
	for i := range s.nx {
		for j := range s.ny {
			s.q[1][s.at(i, j)] = (corner(i, j+1) - corner(i, j)) / s.dy
			s.q[2][s.at(i, j)] = -(corner(i+1, j) - corner(i, j)) / s.dx
		}
	}
}
