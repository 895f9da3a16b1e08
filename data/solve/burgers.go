package solve

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// burgers returns the system of the vector Burgers equation in 2D or 3D.
func burgers(dims int) *System {
	s := &System{
		Name: "burgers", Title: "viscous Burgers equation of a velocity", Equation: "∂u/∂t + (u·∇)u = ν ∇²u",
		Method: "pseudospectral with 2/3 dealiasing, ETDRK4",
		Fields: []data.Field{{Name: "velocity", Order: 1}}, Boundaries: all(dims, data.Periodic),
		Grid: same(dims, 32), Length: same(dims, 2*math.Pi), Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"viscosity", "ν", 0.08, 0.16, false}},
		Variety: Variety{Grids: grids2D, Starts: burgersStarts, Interval: [2]float64{0.03, 0.4},
			Parameters: []Parameter{{"viscosity", "", 0.03, 0.3, true}}, Resolve: resolveBurgers},
	}
	if dims == 3 {
		s.Name, s.Grid, s.Frames, s.Interval = "burgers_3d", same(3, 16), 13, 0.1
		s.Parameters = []Parameter{{"viscosity", "ν", 0.15, 0.3, false}}
		s.Variety.Grids = grids3D
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		linear := b.laplace(u.Values["viscosity"])
		e := &etd{box: b}
		for _, v := range burgersStart(b, u) {
			e.hat = append(e.hat, b.forward(nil, v))
			e.linear = append(e.linear, linear)
		}
		velocity := b.scratch(dims)
		e.nonlinear = func(dst, hat [][]complex128) {
			b.inverses(velocity, hat)
			b.advect(dst, velocity, hat)
		}
		courant := u.courant("random")
		e.step = func() float64 { return courant * b.crossing(e.hat) }
		return spectralRun{e}, nil
	}
	return s
}

var burgersStarts = []string{"random", "mixed", "rough", "narrow", "blobs", "patches", "stripes", "rings", "collision"}

// resolveBurgers makes the cells square and the viscosity large enough for the grid to
// resolve shocks.
func resolveBurgers(c *Case) {
	c.Length = square(c.Grid, 2*math.Pi)
	c.Values["viscosity"] = max(c.Values["viscosity"], 0.6*2*math.Pi/float64(slices.Min(c.Grid)))
}

// burgersStart draws a velocity: a pattern for each component, or the gradient of a
// potential, whose slopes collide.
func burgersStart(b *periodic, u Setup) (velocity [][]float64) {
	if u.Start == "collision" {
		hat := b.forward(nil, b.pattern(u.Rng, "blobs"))
		for axis := range b.n {
			velocity = append(velocity, b.derivative(nil, hat, axis))
		}
		return limit(velocity, 1+u.Rng.Float64())
	}
	for range b.n {
		switch u.Start {
		case "random":
			velocity = append(velocity, b.random(u.Rng, 1.5))
		case "mixed":
			velocity = append(velocity, b.pattern(u.Rng, scalarStarts[u.Rng.IntN(len(scalarStarts))]))
		default:
			velocity = append(velocity, b.pattern(u.Rng, u.Start))
		}
	}
	if u.Start == "random" {
		return velocity
	}
	return limit(velocity, 1+u.Rng.Float64())
}

// limit scales a velocity to a maximum speed.
func limit(velocity [][]float64, top float64) [][]float64 {
	most := 1e-9
	for p := range velocity[0] {
		square := 0.0
		for _, v := range velocity {
			square += v[p] * v[p]
		}
		most = max(most, math.Sqrt(square))
	}
	for _, v := range velocity {
		for p := range v {
			v[p] *= top / most
		}
	}
	return velocity
}
