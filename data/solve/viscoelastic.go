package solve

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// viscoelastic returns the system of a 2D flow of a fluid with long molecules. C is the
// conformation tensor of the molecules, the mean of r⊗r over their extensions r; its
// component c_zz is normal to the flow.
func viscoelastic() *System {
	s := &System{
		Name: "viscoelastic", Title: "flow of a polymer solution (FENE-P) with the conformation tensor",
		Equation: "∂u/∂t + u·∇u = −∇p + β/Re ∇²u + (1 − β)/(Re Wi) ∇·(fC) + F, ∇·u = 0, " +
			"∂C/∂t + u·∇C = C·∇u + (∇u)ᵀ·C − (fC − I)/Wi + κ ∇²C, f = (L² − 3)/(L² − tr C), L² = 30",
		Method: "vorticity, pseudospectral with 2/3 dealiasing, ETDRK4; F keeps a flow of cos 2y of the given speed in motion",
		Fields: []data.Field{{Name: "pressure"}, {Name: "c_zz"}, {Name: "velocity", Order: 1}, {Name: "C", Order: 2}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: same(2, 2*math.Pi), Frames: 31, Interval: 0.2,
		Parameters: []Parameter{{"Reynolds", "Re", 5, 20, true}, {"Weissenberg", "Wi", 1, 3, true}, {"solvent", "β, the solvent's share of the viscosity", 0.5, 0.9, false},
			{"forcing", "speed of the flow that F keeps in motion", 0.5, 1, false}, {"diffusivity", "κ", 0.03, 0.05, false}},
		Variety: Variety{Grids: grids2D, Starts: flowStarts, Interval: [2]float64{0.05, 0.5}, Resolve: resolveViscoelastic,
			Parameters: []Parameter{{"Reynolds", "", 2, 100, true}, {"Weissenberg", "", 0.5, 8, true}, {"solvent", "", 0.3, 0.95, false},
				{"forcing", "", 0.2, 1.2, false}, {"diffusivity", "", 0.01, 0.08, true}}},
	}
	s.start = func(u Setup) (Run, error) {
		// The molecules start at equilibrium; the flow stretches them before the first frame.
		r := newPolymer(u)
		return r, r.Advance(0.3 + 1.5*u.Rng.Float64())
	}
	return s
}

// resolveViscoelastic makes the cells square and the diffusivity large enough for the grid
// to resolve the stretched conformation.
func resolveViscoelastic(c *Case) {
	c.Length = square(c.Grid, 2*math.Pi)
	short := float64(slices.Min(c.Grid))
	c.Values["diffusivity"] = max(c.Values["diffusivity"], 1.2/short)
	c.Values["Reynolds"] = min(c.Values["Reynolds"], 2*short)
}

// extension is L², the square of the largest extension of a molecule.
const extension = 30

// polymerRun is a Run for the vorticity and C_xx, C_xy, C_yy, C_zz.
type polymerRun struct {
	flowRun
	weissenberg, stiffness float64 // Wi and (1 − β)/(Re Wi)

	velocity, slopes, gradients, conformation, stress, rates [][]float64
	stressHat, gradientHat, forcing                          [][]complex128
}

func newPolymer(u Setup) *polymerRun {
	b := newPeriodic(u.Grid, u.Length)
	re, wi, beta := u.Values["Reynolds"], u.Values["Weissenberg"], u.Values["solvent"]
	r := &polymerRun{flowRun: flowRun{etd: &etd{box: b}}, weissenberg: wi, stiffness: (1 - beta) / (re * wi),
		velocity: b.scratch(2), slopes: b.scratch(2), gradients: b.scratch(3), conformation: b.scratch(4), stress: b.scratch(3), rates: b.scratch(5),
		stressHat: b.modes(3), gradientHat: b.modes(3), forcing: b.modes(1)}
	vorticity, _, mean := flowStart(b, u)
	b.topSpeed(vorticity, 1)
	r.mean = mean
	r.linear = [][]complex128{b.laplace(beta / re)}
	r.hat = [][]complex128{b.forward(nil, vorticity)}
	diffusion := b.laplace(u.Values["diffusivity"])
	for i := range 4 {
		uniform := make([]complex128, b.points)
		if i != 1 { // C starts as the identity
			uniform[0] = complex(float64(b.points), 0)
		}
		r.hat, r.linear = append(r.hat, uniform), append(r.linear, diffusion)
	}
	k := 4 * math.Pi / b.length[1]
	force := make([]float64, b.points)
	for p := range force { // −∂F/∂y of the force F = A cos ky
		force[p] = u.Values["forcing"] * k * k / re * k * math.Sin(k*b.position(p)[1])
	}
	b.forward(r.forcing[0], force)
	r.nonlinear = r.rate
	r.step = func() float64 { return min(0.1, 0.5*wi, 0.5*b.crossing(r.flowRun.velocity(r.hat[0]))) }
	return r
}

// stretch computes velocity, its gradients ∂u/∂x, ∂u/∂y, ∂v/∂x, conformation and stress fC
// from modes.
func (r *polymerRun) stretch(hat [][]complex128) {
	b := r.box
	velocity := r.flowRun.velocity(hat[0])
	for i := range r.gradientHat[0] {
		x, y := complex(0, b.k[0][i]), complex(0, b.k[1][i])
		r.gradientHat[0][i], r.gradientHat[1][i], r.gradientHat[2][i] = x*velocity[0][i], y*velocity[0][i], x*velocity[1][i]
	}
	b.inverses(slices.Concat(r.velocity, r.conformation, r.gradients), slices.Concat(velocity, hat[1:], r.gradientHat))
	c := r.conformation
	for p := range b.points {
		f := peterlin(c[0][p] + c[2][p] + c[3][p])
		for i := range r.stress {
			r.stress[i][p] = f * c[i][p]
		}
	}
	b.forwards(r.stressHat, r.stress)
}

// peterlin returns the factor f of the FENE-P model for a trace of C.
func peterlin(trace float64) float64 { return (extension - 3) / (extension - trace) }

func (r *polymerRun) rate(dst, hat [][]complex128) {
	b := r.box
	r.stretch(hat)
	for i := range hat {
		b.gradient(r.slopes, hat[i])
		for p := range b.points {
			r.rates[i][p] = -r.velocity[0][p]*r.slopes[0][p] - r.velocity[1][p]*r.slopes[1][p]
		}
	}
	c, g, s := r.conformation, r.gradients, r.stress
	for p := range b.points {
		xx, xy, yy, zz := c[0][p], c[1][p], c[2][p], c[3][p]
		ux, uy, vx := g[0][p], g[1][p], g[2][p]
		r.rates[1][p] += 2*(ux*xx+uy*xy) - (s[0][p]-1)/r.weissenberg
		r.rates[2][p] += uy*yy + vx*xx - s[1][p]/r.weissenberg
		r.rates[3][p] += 2*(vx*xy-ux*yy) - (s[2][p]-1)/r.weissenberg
		r.rates[4][p] -= (peterlin(xx+yy+zz)*zz - 1) / r.weissenberg
	}
	b.forwards(dst, r.rates)
	for i, f := range r.forcing[0] {
		x, y := b.k[0][i], b.k[1][i]
		xx, xy, yy := r.stressHat[0][i], r.stressHat[1][i], r.stressHat[2][i]
		// The curl of ∇·(fC).
		dst[0][i] += f - complex(r.stiffness, 0)*(complex(x*x-y*y, 0)*xy+complex(x*y, 0)*(yy-xx))
	}
	for _, f := range dst {
		b.dealias(f)
	}
}

func (r *polymerRun) Advance(time float64) error { return r.pieces(time, 0.2) }

// Frame writes pressure, c_zz, velocity and C.
func (r *polymerRun) Frame(dst []float32) {
	b, c := r.box, r.conformation
	r.stretch(r.hat)
	source := make([]float64, b.points)
	for p := range source { // Σ ∂u_i/∂x_j ∂u_j/∂x_i
		ux, uy, vx := r.gradients[0][p], r.gradients[1][p], r.gradients[2][p]
		source[p] = 2 * (ux*ux + uy*vx)
	}
	pressure := b.forward(nil, source)
	for i := range pressure {
		if b.k2[i] == 0 {
			pressure[i] = 0
			continue
		}
		x, y := b.k[0][i], b.k[1][i]
		pull := complex(x*x, 0)*r.stressHat[0][i] + complex(2*x*y, 0)*r.stressHat[1][i] + complex(y*y, 0)*r.stressHat[2][i]
		pressure[i] = complex(1/b.k2[i], 0) * (pressure[i] + complex(r.stiffness, 0)*pull)
	}
	for _, f := range [][]float64{b.inverse(nil, pressure), c[3], r.velocity[0], r.velocity[1], c[0], c[1], c[1], c[2]} {
		dst = narrow(dst, f)
	}
}

// restart reads everything except the pressure. It averages C_xy and C_yx.
func (r *polymerRun) restart(frame, _ []float32) error {
	n := r.box.points
	xy := channel(frame, 5, n)
	for p, v := range channel(frame, 6, n) {
		xy[p] = (xy[p] + v) / 2
	}
	for i, f := range [][]float64{channel(frame, 4, n), xy, channel(frame, 7, n), channel(frame, 1, n)} {
		r.box.forward(r.hat[1+i], f)
	}
	return r.restartFlow(frame, 2)
}
