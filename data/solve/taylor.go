package solve

import (
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// rayleighTaylor returns the system of heavy fluid above light fluid.
func rayleighTaylor() *System {
	s := &System{
		Name: "rayleigh_taylor", Title: "Rayleigh–Taylor instability of heavy above light fluid between insulating walls, no slip",
		Equation:   "∂u/∂t + (u·∇)u = −∇p + ν ∇²u − (ρ − 1) e_y, ∇·u = 0, ∂ρ/∂t + u·∇ρ = κ ∇²ρ, ν = √A/Re, κ = ν/Sc",
		Method:     "staggered grid of second order, projection by Fourier transform and tridiagonal solves, SSP Runge–Kutta of third order",
		Fields:     []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Grid:       []int{32, 64}, Length: []float64{0.5, 1}, Frames: 31, Interval: 0.2,
		Parameters: []Parameter{{"Atwood", "A, half the relative difference of the densities", 0.1, 0.3, false},
			{"Reynolds", "Re, of the height of the box and the speed √A", 500, 1500, true}, {"Schmidt", "Sc", 0.7, 1.5, false}},
		Variety: Variety{Starts: []string{"interface", "layers", "random density", "internal waves"}, Interval: [2]float64{0.1, 1}, Resolve: fitTaylor,
			Grids: [][]int{{24, 24}, {32, 32}, {24, 48}, {32, 64}, {64, 32}, {48, 48}, {64, 64}, {32, 96}, {48, 96}, {96, 48}},
			Parameters: []Parameter{{Name: "Atwood", Low: 0.03, High: 0.5, Log: true}, {Name: "Reynolds", Low: 200, High: 4000, Log: true},
				{Name: "Schmidt", Low: 0.3, High: 3, Log: true}}},
	}
	s.start = func(u Setup) (Run, error) { return startTaylor(u) }
	return s
}

// fitTaylor limits a drawn Reynolds number to values that the grid resolves.
func fitTaylor(c *Case) {
	c.Values["Reynolds"] = min(c.Values["Reynolds"], 25*float64(c.Grid[1])/math.Sqrt(max(1, c.Values["Schmidt"])))
}

// newTaylor returns fluid at rest with density 1.
func newTaylor(n []int, length []float64, atwood, reynolds, schmidt float64) taylorRun {
	r := newConvection(n, length, 1, 1)
	r.nu = math.Sqrt(atwood) / reynolds
	r.kappa = r.nu / schmidt
	r.floor, r.lid, r.sign = 0, 0, -1
	r.pace = 2 * math.Sqrt(atwood/r.dy) // a jump over two cells oscillates at √(A/dy)
	return taylorRun{r}
}

// startTaylor starts a run. The box has height 1 and square cells.
func startTaylor(u Setup) (Run, error) {
	atwood, reynolds, schmidt := u.Values["Atwood"], u.Values["Reynolds"], u.Values["Schmidt"]
	for _, name := range []string{"Atwood", "Reynolds", "Schmidt"} {
		if v := u.Values[name]; !(v > 0) {
			return nil, fmt.Errorf("%s: expected a positive number, got %v", name, v)
		}
	}
	length := []float64{float64(u.Grid[0]) / float64(u.Grid[1]), 1}
	c := &canvas{periodic: newPeriodic(u.Grid, length), rng: u.Rng, side: slices.Min(length)}
	r := newTaylor(u.Grid, length, atwood, reynolds, schmidt)
	for p, v := range c.stratification(u.Start) {
		r.q[0][p] = -atwood * v
	}
	return r, nil
}

// stratification draws densities between −1 and 1.
func (c *canvas) stratification(kind string) []float64 {
	ripple, height := c.smooth(c.between(1, 3)), c.between(0.35, 0.65)
	thick, depth := c.between(0.02, 0.05), c.between(0.01, 0.04)
	switch kind {
	case "layers":
		n, phase := c.between(1, 2), c.between(0, 2*math.Pi)
		for p, v := range ripple {
			y := c.position(p)[1] + depth*v
			ripple[p] = math.Tanh(0.2 / thick * math.Sin(2*math.Pi*n*y+phase) / 4)
		}
	case "random density":
		for p, v := range ripple {
			ripple[p] = math.Tanh(v)
		}
	case "internal waves":
		// A perturbed interface between heavy and light fluid.
		steep := c.between(1, 6)
		for p, v := range ripple {
			ripple[p] = -math.Tanh(steep * (c.position(p)[1] - height + 3*depth*v))
		}
	default:
		for p, v := range ripple {
			ripple[p] = math.Tanh((c.position(p)[1] - height + depth*v) / thick)
		}
	}
	return ripple
}

// taylorRun is convection whose frames hold the density instead of the buoyancy.
type taylorRun struct{ *convection }

func (r taylorRun) Frame(dst []float32) {
	r.convection.Frame(dst)
	for p, b := range r.q[0] {
		dst[p] = float32(1 - b)
	}
}

func (r taylorRun) restart(frame, constants []float32) error {
	frame = slices.Clone(frame)
	for p := range r.q[0] {
		frame[p] = 1 - frame[p]
	}
	return r.convection.restart(frame, constants)
}
