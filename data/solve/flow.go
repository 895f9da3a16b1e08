package solve

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// burgers is the vector equation of Burgers in 2 or 3 dimensions.
func burgers(dims int) *System {
	s := &System{
		Name: "burgers", Title: "viscous Burgers equation of a velocity", Equation: "∂u/∂t + (u·∇)u = ν ∇²u",
		Method: "pseudospectral with 2/3 dealiasing, ETDRK4",
		Fields: []data.Field{{Name: "velocity", Order: 1}}, Boundaries: all(dims, data.Periodic),
		Grid: same(dims, 32), Length: same(dims, 2*math.Pi), Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"viscosity", "ν", 0.08, 0.16, false}},
		Variety: Variety{Grids: grids2D, Starts: burgersStarts, Interval: [2]float64{0.02, 0.25},
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

// resolveBurgers makes the cells square and keeps the viscosity high enough for the grid
// to resolve shocks.
func resolveBurgers(c *Case) {
	c.Length = square(c.Grid, 2*math.Pi)
	c.Values["viscosity"] = max(c.Values["viscosity"], 0.6*2*math.Pi/float64(slices.Min(c.Grid)))
}

// burgersStart draws a velocity: each component a pattern, or a potential whose slopes
// collide.
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

// limit scales a velocity to a largest speed.
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

// advect sets dst to the modes of −u·∇q, for several q.
func (b *periodic) advect(dst [][]complex128, velocity [][]float64, q [][]complex128) {
	slopes, sums := b.scratch(len(velocity)), make([][]float64, len(q))
	for f, hat := range q {
		b.gradient(slopes, hat)
		sum := make([]float64, b.points)
		for axis, v := range velocity {
			for i, x := range slopes[axis] {
				sum[i] -= v[i] * x
			}
		}
		sums[f] = sum
	}
	b.forwards(dst, sums)
	for _, hat := range dst {
		b.dealias(hat)
	}
}

// scratch returns n new fields.
func (b *periodic) scratch(n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, b.points)
	}
	return out
}

// courant is the part of a cell that the flow may cross in a step. Default starts keep
// the one that their frames have always had.
func (u Setup) courant(own string) float64 {
	if u.Start == own {
		return 0.4
	}
	return 0.6
}

// crossing is the time in which nothing moves further than one cell.
func (b *periodic) crossing(velocity [][]complex128) float64 {
	rate, fields := 1e-9, b.scratch(len(velocity))
	b.inverses(fields, velocity)
	for axis, field := range fields {
		for _, v := range field {
			rate = max(rate, math.Abs(v)*float64(b.n[axis])/b.length[axis])
		}
	}
	return 1 / rate
}

// navierStokes is the incompressible flow of shear layers in the plane, solved
// for its vorticity, with a tracer; or with the tensors of the velocity's
// gradient.
func navierStokes(tensors bool) *System {
	s := &System{
		Name: "navier_stokes", Title: "incompressible shear flow with a passive tracer",
		Equation: "∂ω/∂t + u·∇ω = ∇²ω/Re, ∇·u = 0, ∂s/∂t + u·∇s = ∇²s/(Re Sc)",
		Method:   "vorticity and stream function, pseudospectral with 2/3 dealiasing, ETDRK4",
		Fields:   []data.Field{{Name: "tracer"}, {Name: "pressure"}, {Name: "velocity", Order: 1}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 64}, Length: []float64{1, 2}, Frames: 31, Interval: 0.1,
		Parameters: []Parameter{{"Reynolds", "Re", 500, 1500, false}, {"Schmidt", "Sc", 0.5, 2, false}},
		Variety: Variety{Grids: grids2D, Starts: flowStarts, Interval: [2]float64{0.012, 0.1},
			Parameters: []Parameter{{"Reynolds", "", 100, 5000, true}, {"Schmidt", "", 0.2, 5, true}}, Resolve: resolveFlow},
	}
	if tensors {
		s.Name, s.Title = "navier_stokes_tensor", "incompressible shear flow with its velocity gradient and strain rate (tensors of order 2)"
		s.Fields = []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}, {Name: "velocity_gradient", Order: 2}, {Name: "strain_rate", Order: 2}}
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		vorticity, tracer, mean := flowStart(b, u)
		nu := 1 / u.Values["Reynolds"]
		r := &flowRun{tensors: tensors, mean: mean, etd: &etd{box: b, hat: [][]complex128{b.forward(nil, vorticity), b.forward(nil, tracer)},
			linear: [][]complex128{b.laplace(nu), b.laplace(nu / u.Values["Schmidt"])}}}
		r.nonlinear = func(dst, hat [][]complex128) {
			velocity := b.scratch(2)
			b.inverses(velocity, r.velocity(hat[0]))
			b.advect(dst, velocity, hat)
		}
		courant := u.courant("shear")
		r.step = func() float64 { return courant * b.crossing(r.velocity(r.hat[0])) }
		return r, nil
	}
	return s
}

// flowRun is a Run for the vorticity and a tracer.
type flowRun struct {
	*etd
	tensors bool
	// mean is the velocity of the whole box, which no vorticity tells.
	mean [2]float64
}

func (r *flowRun) Advance(time float64) error { return r.advance(time) }
func (r *flowRun) Constants([]float32)        {}

// velocity returns the modes of the velocity of a vorticity: u = ∂ψ/∂y,
// v = −∂ψ/∂x, −∇²ψ = ω.
func (r *flowRun) velocity(vorticity []complex128) [][]complex128 {
	b := r.box
	out := [][]complex128{make([]complex128, b.points), make([]complex128, b.points)}
	for i, w := range vorticity {
		if b.k2[i] == 0 {
			continue
		}
		re, im, x, y := real(w)/b.k2[i], imag(w)/b.k2[i], b.k[0][i], b.k[1][i]
		out[0][i] = complex(-y*im, y*re)
		out[1][i] = complex(x*im, -x*re)
	}
	for i, v := range r.mean {
		out[i][0] = complex(v*float64(b.points), 0)
	}
	return out
}

// gradient returns the fields ∂u_i/∂x_j, row major.
func (r *flowRun) gradient(velocity [][]complex128) [][]float64 {
	var out [][]float64
	for i := range velocity {
		for j := range velocity {
			out = append(out, r.box.derivative(nil, velocity[i], j))
		}
	}
	return out
}

// pressure solves −∇²p = Σ ∂u_i/∂x_j ∂u_j/∂x_i; its mean is 0.
func (r *flowRun) pressure(g [][]float64) []float64 {
	b := r.box
	source := make([]float64, b.points)
	for p := range source {
		source[p] = g[0][p]*g[0][p] + 2*g[1][p]*g[2][p] + g[3][p]*g[3][p]
	}
	hat := b.forward(nil, source)
	for i := range hat {
		if b.k2[i] == 0 {
			hat[i] = 0
		} else {
			hat[i] /= complex(b.k2[i], 0)
		}
	}
	return b.inverse(nil, hat)
}

// Frame writes tracer, pressure and velocity, or pressure, velocity, gradient
// and strain rate.
func (r *flowRun) Frame(dst []float32) {
	velocity := r.velocity(r.hat[0])
	g := r.gradient(velocity)
	if !r.tensors {
		dst = narrow(dst, r.box.inverse(nil, r.hat[1]))
	}
	dst = narrow(dst, r.pressure(g))
	for _, v := range velocity {
		dst = narrow(dst, r.box.inverse(nil, v))
	}
	if !r.tensors {
		return
	}
	for _, x := range g {
		dst = narrow(dst, x)
	}
	shear := make([]float64, r.box.points)
	for p := range shear {
		shear[p] = (g[1][p] + g[2][p]) / 2
	}
	for _, x := range [][]float64{g[0], shear, shear, g[3]} {
		dst = narrow(dst, x)
	}
}
