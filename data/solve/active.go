package solve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// activeMatter returns the system of a suspension of swimming rods that stir the fluid. D
// is the concentration of the rods times the mean of p⊗p over their directions p; E is the
// strain rate.
func activeMatter() *System {
	s := &System{
		Name: "active_matter", Title: "active nematic: rods that stir a viscous fluid (tensors of order 2)",
		Equation: "D = c (I/2 + Q); ∂c/∂t + ∇·(uc) = d ∇²c + d/2 ∇∇:(cQ), " +
			"∂Q/∂t + u·∇Q = WQ − QW + λ (E − 2 Q (Q:E)) + (1 − 2 Q:Q/S²) Q + K ∇²Q, " +
			"0 = −∇p + ∇²u − u/20 − ζ ∇·(cQ), ∇·u = 0, E and W the parts of ∇u",
		Method: "pseudospectral with 2/3 dealiasing, ETDRK4; Stokes flow in Fourier space",
		Fields: []data.Field{{Name: "concentration"}, {Name: "velocity", Order: 1}, {Name: "D", Order: 2}, {Name: "E", Order: 2}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: []float64{12, 12}, Frames: 31, Interval: 0.25,
		Parameters: []Parameter{{"activity", "ζ", 2, 4, false}, {"alignment", "λ", 0.5, 1, false}, {"elasticity", "K", 0.2, 0.4, false}, {"order", "S", 0.6, 0.8, false}},
		Variety: Variety{Grids: grids2D, Starts: []string{"aligned", "random", "narrow", "patches", "stripes", "developed"}, Interval: [2]float64{0.05, 0.5},
			Parameters: []Parameter{{"activity", "", -4, 8, false}, {"alignment", "", 0, 1, false}, {"elasticity", "", 0.15, 1, true}, {"order", "", 0.3, 0.9, false}},
			Resolve:    func(c *Case) { c.Length = cells(c.Grid, 0.375*math.Pow(32/float64(slices.Min(c.Grid)), 0.3)) }},
	}
	s.start = func(u Setup) (Run, error) {
		r := newActive(u)
		if u.Start == "developed" {
			return r, r.Advance(3 + 8*u.Rng.Float64())
		}
		return r, nil
	}
	return s
}

// activeRun is a Run for the concentration c and the tensor Q = [[a, b], [b, −a]].
type activeRun struct {
	*etd
	activity, alignment, order float64

	state, flow, slopes, stress, rates [][]float64
	stressHat, fluxHat, flowHat        [][]complex128
}

func newActive(u Setup) *activeRun {
	b := newPeriodic(u.Grid, u.Length)
	elastic := b.laplace(u.Values["elasticity"])
	for i := range elastic {
		elastic[i]++
	}
	r := &activeRun{etd: &etd{box: b, linear: [][]complex128{b.laplace(diffusionOfRods), elastic, elastic}},
		activity: u.Values["activity"], alignment: u.Values["alignment"], order: u.Values["order"],
		state: b.scratch(3), flow: b.scratch(5), slopes: b.scratch(2), stress: b.scratch(2), rates: b.scratch(4),
		stressHat: b.modes(2), fluxHat: b.modes(2), flowHat: b.modes(5)}
	for _, f := range activeStart(b, u) {
		r.hat = append(r.hat, b.forward(nil, f))
	}
	r.nonlinear = r.rate
	r.step = func() float64 {
		r.stir(r.hat)
		// The order of the rods relaxes at rates up to 3/S².
		return min(0.25, 0.6*r.order*r.order, 0.5*b.crossing(r.flowHat[:2]))
	}
	return r
}

// diffusionOfRods is the diffusivity d of the rods.
const diffusionOfRods = 0.3

// modes allocates the modes of n fields.
func (b *periodic) modes(n int) [][]complex128 {
	out := make([][]complex128, n)
	for i := range out {
		out[i] = make([]complex128, b.points)
	}
	return out
}

// activeStart draws the concentration and Q.
func activeStart(b *periodic, u Setup) [][]float64 {
	c, out := b.random(u.Rng, 2), [][]float64{nil, nil}
	size, aligned := u.Values["order"]/2, math.Pi*u.Rng.Float64()
	for p := range c {
		c[p] = 1 + 0.15*math.Tanh(c[p])
	}
	switch u.Start {
	case "aligned":
		angle := b.random(u.Rng, 2.5)
		for i := range out {
			out[i] = make([]float64, b.points)
			for p, v := range angle {
				out[i][p] = size * math.Cos(2*aligned+0.4*v-float64(i)*math.Pi/2)
			}
		}
	case "developed":
		out[0], out[1] = b.random(u.Rng, 4), b.random(u.Rng, 4)
		limit(out, size)
	default:
		out[0], out[1] = activePattern(b, u.Rng, u.Start), activePattern(b, u.Rng, u.Start)
		limit(out, size)
	}
	return append([][]float64{c}, out...)
}

func activePattern(b *periodic, rng *rand.Rand, kind string) []float64 {
	out := b.pattern(rng, kind)
	centred(out)
	return out
}

// stir computes fields, flow and stress from modes. The flow consists of u, v, ω and the
// entries ∂u/∂x and (∂u/∂y + ∂v/∂x)/2 of E; the stress is cQ.
func (r *activeRun) stir(hat [][]complex128) {
	b := r.box
	b.inverses(r.state, hat)
	for i := range r.stress {
		for p, c := range r.state[0] {
			r.stress[i][p] = c * r.state[1+i][p]
		}
	}
	b.forwards(r.stressHat, r.stress)
	kx, ky := b.k[0], b.k[1]
	for i := range r.flowHat[0] {
		x, y, k2 := kx[i], ky[i], kx[i]*kx[i]+ky[i]*ky[i]
		for f := range r.flowHat {
			r.flowHat[f][i] = 0
		}
		if k2 == 0 || !b.keep[i] {
			continue
		}
		s, t := r.stressHat[0][i], r.stressHat[1][i]
		vorticity := complex(-r.activity/(k2+0.05), 0) * (complex(2*x*y, 0)*s - complex(x*x-y*y, 0)*t)
		psi := complex(1/k2, 0) * vorticity
		r.flowHat[0][i], r.flowHat[1][i] = complex(0, y)*psi, complex(0, -x)*psi
		r.flowHat[2][i] = vorticity
		r.flowHat[3][i], r.flowHat[4][i] = complex(-x*y, 0)*psi, complex((x*x-y*y)/2, 0)*psi
	}
	b.inverses(r.flow, r.flowHat)
}

func (r *activeRun) rate(dst, hat [][]complex128) {
	b := r.box
	r.stir(hat)
	c, q, u := r.state[0], r.state[1:], r.flow
	for i, f := range q {
		other, turn := q[1-i], float64(2*i-1)
		b.gradient(r.slopes, hat[1+i])
		for p, v := range f {
			w := other[p]
			along := v*u[3+i][p] + w*u[4-i][p] // Q:E/2
			r.rates[i][p] = -u[0][p]*r.slopes[0][p] - u[1][p]*r.slopes[1][p] + turn*u[2][p]*w +
				r.alignment*(u[3+i][p]-4*v*along) - 4*(v*v+w*w)/(r.order*r.order)*v
		}
	}
	for p, v := range c {
		r.rates[2][p], r.rates[3][p] = v*u[0][p], v*u[1][p]
	}
	b.forwards([][]complex128{dst[1], dst[2], r.fluxHat[0], r.fluxHat[1]}, r.rates)
	const drift = diffusionOfRods / 2
	for i := range dst[0] {
		x, y := b.k[0][i], b.k[1][i]
		dst[0][i] = complex(0, -x)*r.fluxHat[0][i] + complex(0, -y)*r.fluxHat[1][i] -
			complex(drift*(x*x-y*y), 0)*r.stressHat[0][i] - complex(2*drift*x*y, 0)*r.stressHat[1][i]
	}
	for _, f := range dst {
		b.dealias(f)
	}
}

func (r *activeRun) Advance(time float64) error { return r.pieces(time, 0.25) }
func (r *activeRun) Constants([]float32)        {}

// Frame writes the concentration, the velocity, D and E.
func (r *activeRun) Frame(dst []float32) {
	r.stir(r.hat)
	low, high, less := r.box.scratch(1)[0], r.box.scratch(1)[0], r.box.scratch(1)[0]
	for p, c := range r.state[0] {
		low[p], high[p], less[p] = c/2+r.stress[0][p], c/2-r.stress[0][p], -r.flow[3][p]
	}
	shear := r.flow[4]
	for _, f := range [][]float64{r.state[0], r.flow[0], r.flow[1], low, r.stress[1], r.stress[1], high, r.flow[3], shear, shear, less} {
		dst = narrow(dst, f)
	}
}

// restart reads the concentration and D, which determine the flow.
func (r *activeRun) restart(frame, _ []float32) error {
	n := r.box.points
	c, a, d := channel(frame, 0, n), channel(frame, 3, n), channel(frame, 6, n)
	b, e := channel(frame, 4, n), channel(frame, 5, n)
	for p, v := range c {
		if !(v > 0) {
			return fmt.Errorf("concentration at point %d: expected a positive one, got %v", p, v)
		}
		a[p], b[p] = (a[p]-d[p])/(2*v), (b[p]+e[p])/(2*v)
	}
	for i, f := range [][]float64{c, a, b} {
		r.box.forward(r.hat[i], f)
	}
	return nil
}
