package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// gas is the Euler equations of an ideal gas. The conserved variables are density, momentum
// and energy; the primitive variables are density, velocity and pressure.
type gas struct {
	dims  int
	gamma float64
}

func (g gas) vars() int                    { return g.dims + 2 }
func (g gas) mirror(w []float64, axis int) { w[1+axis] *= -1 }

func (g gas) primitive(w, q []float64) {
	w[0] = q[0]
	kinetic := 0.0
	for a := 1; a <= g.dims; a++ {
		w[a] = q[a] / q[0]
		kinetic += q[a] * w[a] / 2
	}
	w[g.dims+1] = (g.gamma - 1) * (q[g.dims+1] - kinetic)
}

func (g gas) conserved(q, w []float64) {
	q[0] = w[0]
	kinetic := 0.0
	for a := 1; a <= g.dims; a++ {
		q[a] = w[0] * w[a]
		kinetic += q[a] * w[a] / 2
	}
	q[g.dims+1] = w[g.dims+1]/(g.gamma-1) + kinetic
}

func (g gas) sound(w []float64) float64 { return math.Sqrt(g.gamma * w[g.dims+1] / w[0]) }

func (g gas) speed(axis int, w []float64) float64 { return math.Abs(w[1+axis]) + g.sound(w) }

func (g gas) legal(w []float64) error {
	if !(w[0] > 0) || !(w[g.dims+1] > 0) || !finite(w[0]+w[g.dims+1]) {
		return fmt.Errorf("density %v and pressure %v: expected positive ones; a finer grid or a milder start may help", w[0], w[g.dims+1])
	}
	return nil
}

// physical computes the flux of one state.
func (g gas) physical(f []float64, axis int, w, q []float64) {
	u, p := w[1+axis], w[g.dims+1]
	for v := range f {
		f[v] = u * q[v]
	}
	f[1+axis] += p
	f[g.dims+1] += u * p
}

// flux computes the HLLC flux (Toro, Spruce and Speares, Shock Waves 4, 1994) with the wave
// speeds of Davis. HLLC resolves contact discontinuities, which HLL smears.
func (g gas) flux(f []float64, axis int, l, r []float64) {
	ul, ur, pl, pr := l[1+axis], r[1+axis], l[g.dims+1], r[g.dims+1]
	cl, cr := g.sound(l), g.sound(r)
	sl, sr := min(ul-cl, ur-cr), max(ul+cl, ur+cr)
	var store [5]float64
	q := store[:g.dims+2]
	if sl >= 0 {
		g.conserved(q, l)
		g.physical(f, axis, l, q)
		return
	}
	if sr <= 0 {
		g.conserved(q, r)
		g.physical(f, axis, r, q)
		return
	}
	ml, mr := l[0]*(sl-ul), r[0]*(sr-ur)
	contact := (pr - pl + ml*ul - mr*ur) / (ml - mr)
	w, s := r, sr
	if contact >= 0 {
		w, s = l, sl
	}
	g.conserved(q, w)
	g.physical(f, axis, w, q)
	g.star(f, axis, w, q, s, contact)
}

// star adds to f the jump of the flux across the wave of speed s.
func (g gas) star(f []float64, axis int, w, q []float64, s, contact float64) {
	u, e := w[1+axis], g.dims+1
	factor := w[0] * (s - u) / (s - contact)
	for v := range f {
		star := factor * q[v] / w[0]
		switch v {
		case 0:
			star = factor
		case 1 + axis:
			star = factor * contact
		case e:
			star = factor * (q[e]/w[0] + (contact-u)*(contact+w[e]/(w[0]*(s-u))))
		}
		f[v] += s * (star - q[v])
	}
}

// euler returns the system of compressible flow that starts from random blocks, as in The
// Well's euler_multi_quadrants.
func euler(name string, dims int, bc data.BC) *System {
	s := &System{
		Name: name, Title: "compressible flow of an ideal gas from random blocks, " + bc.String(),
		Equation:   "∂ρ/∂t + ∇·(ρu) = 0, ∂(ρu)/∂t + ∇·(ρu⊗u + p) = 0, ∂E/∂t + ∇·((E + p) u) = 0, p = (γ − 1)(E − ρu²/2)",
		Method:     "finite volumes, limited linear reconstruction, HLLC flux, SSP Runge–Kutta of third order",
		Fields:     []data.Field{{Name: "energy"}, {Name: "density"}, {Name: "pressure"}, {Name: "momentum", Order: 1}},
		Boundaries: all(dims, bc), Grid: same(dims, 32), Length: same(dims, 1.0), Frames: 31, Interval: 0.02,
		Parameters: []Parameter{{"gamma", "γ, ratio of the specific heats", 1.3, 1.6, false}},
		Variety: Variety{Grids: planes, Boundaries: gasBoundaries(dims, bc), Starts: gasStarts, Interval: [2]float64{0.004, 0.06},
			Parameters: []Parameter{{Name: "gamma", Low: 1.1, High: 1.8}}},
	}
	if dims == 3 {
		s.Grid, s.Frames, s.Variety.Grids = same(3, 16), 13, boxes
	}
	s.start = func(u Setup) (Run, error) {
		if g := u.Values["gamma"]; !(g > 1) {
			return nil, fmt.Errorf("gamma: expected more than 1, got %v", g)
		}
		g := gas{dims, u.Values["gamma"]}
		if u.Start != gasStarts[0] {
			return startGas(u, g), nil
		}
		fv := newFiniteVolume(g, u.Grid, s.Length, u.Boundaries)
		blocks := make([][]float64, 1<<dims)
		for i := range blocks {
			blocks[i] = append(blocks[i], 0.3+0.9*u.Rng.Float64())
			for range dims {
				blocks[i] = append(blocks[i], u.Rng.Float64()-0.5)
			}
			blocks[i] = append(blocks[i], 0.3+0.9*u.Rng.Float64())
		}
		cut := make([]float64, dims)
		for a := range cut {
			cut[a] = 0.3 + 0.4*u.Rng.Float64()
		}
		b := newPeriodic(u.Grid, s.Length)
		for p := range fv.points {
			block := 0
			for a, x := range b.position(p) {
				if x > cut[a] {
					block |= 1 << a
				}
			}
			fv.set(p, blocks[block])
		}
		return gasRun{fv, g}, nil
	}
	return s
}

type gasRun struct {
	*finiteVolume
	gas gas
}

func (r gasRun) Advance(time float64) error { return r.advance(time) }
func (r gasRun) Constants([]float32)        {}

// Frame writes energy, density, pressure and momentum.
func (r gasRun) Frame(dst []float32) {
	dst = narrow(dst, r.q[r.gas.dims+1])
	dst = narrow(dst, r.q[0])
	pressure, q, w := make([]float64, r.points), make([]float64, r.gas.vars()), make([]float64, r.gas.vars())
	for p := range pressure {
		r.gas.primitive(w, r.cell(q, p))
		pressure[p] = w[r.gas.dims+1]
	}
	dst = narrow(dst, pressure)
	for a := range r.gas.dims {
		dst = narrow(dst, r.q[1+a])
	}
}
