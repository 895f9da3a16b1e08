package solve

import (
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// navierStokes returns the system of incompressible 2D flow from shear layers, solved for
// its vorticity. Frames hold a tracer, or with tensors the velocity gradient and the strain
// rate.
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

// advect sets dst to the modes of −u·∇q for each q.
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

// scratch allocates n fields.
func (b *periodic) scratch(n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, b.points)
	}
	return out
}

// courant returns the fraction of a cell that the flow may cross in one step. The default
// start keeps its original fraction, so that its frames do not change.
func (u Setup) courant(own string) float64 {
	if u.Start == own {
		return 0.4
	}
	return 0.6
}

// crossing returns the time in which the flow crosses at most one cell.
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

// flowRun is a Run for the vorticity and a tracer.
type flowRun struct {
	*etd
	tensors bool
	// mean is the mean velocity of the box, which the vorticity does not determine.
	mean [2]float64
}

func (r *flowRun) Advance(time float64) error { return r.advance(time) }
func (r *flowRun) Constants([]float32)        {}

// velocity returns the modes of the velocity of a vorticity: u = ∂ψ/∂y, v = −∂ψ/∂x, −∇²ψ =
// ω.
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

// gradient returns the fields ∂u_i/∂x_j in row-major order.
func (r *flowRun) gradient(velocity [][]complex128) [][]float64 {
	var out [][]float64
	for i := range velocity {
		for j := range velocity {
			out = append(out, r.box.derivative(nil, velocity[i], j))
		}
	}
	return out
}

// pressure returns the solution of −∇²p = Σ ∂u_i/∂x_j ∂u_j/∂x_i with mean 0.
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

// Frame writes tracer, pressure and velocity, or pressure, velocity, gradient and strain
// rate.
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
