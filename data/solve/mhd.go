package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// plasma is ideal magnetohydrodynamics. The conserved variables are density, momentum,
// magnetic field and energy; the primitive variables are density, velocity, magnetic field
// and pressure. In 2D, velocity and magnetic field have two components.
type plasma struct {
	dims  int
	gamma float64
}

func (m plasma) vars() int { return 2*m.dims + 2 }

// mirror treats walls as perfect conductors, which the magnetic field does not cross.
func (m plasma) mirror(w []float64, axis int) {
	w[1+axis] *= -1
	w[1+m.dims+axis] *= -1
}

// parts returns the velocity and the magnetic field of primitive variables.
func (m plasma) parts(w []float64) (u, b []float64) { return w[1 : 1+m.dims], w[1+m.dims : 1+2*m.dims] }

func (m plasma) primitive(w, q []float64) {
	e := 2*m.dims + 1
	w[0] = q[0]
	energy := 0.0
	for a := 1; a <= m.dims; a++ {
		w[a], w[m.dims+a] = q[a]/q[0], q[m.dims+a]
		energy += (q[a]*w[a] + q[m.dims+a]*q[m.dims+a]) / 2
	}
	w[e] = (m.gamma - 1) * (q[e] - energy)
}

func (m plasma) conserved(q, w []float64) {
	e := 2*m.dims + 1
	q[0] = w[0]
	energy := 0.0
	for a := 1; a <= m.dims; a++ {
		q[a], q[m.dims+a] = w[0]*w[a], w[m.dims+a]
		energy += (q[a]*w[a] + w[m.dims+a]*w[m.dims+a]) / 2
	}
	q[e] = w[e]/(m.gamma-1) + energy
}

// fast returns the speed of the fast magnetosonic wave along an axis.
func (m plasma) fast(axis int, w []float64) float64 {
	_, b := m.parts(w)
	sound, alfven, along := m.gamma*w[2*m.dims+1]/w[0], dot(b, b)/w[0], b[axis]*b[axis]/w[0]
	sum := sound + alfven
	return math.Sqrt((sum + math.Sqrt(max(0, sum*sum-4*sound*along))) / 2)
}

func (m plasma) speed(axis int, w []float64) float64 { return math.Abs(w[1+axis]) + m.fast(axis, w) }

func (m plasma) legal(w []float64) error {
	if p := w[2*m.dims+1]; !(w[0] > 0) || !(p > 0) || !finite(w[0]+p) {
		return fmt.Errorf("density %v and pressure %v: expected positive ones; a finer grid or a milder start may help", w[0], p)
	}
	return nil
}

// physical computes the flux f and the conserved variables q of one state.
func (m plasma) physical(f, q []float64, axis int, w []float64) {
	m.conserved(q, w)
	u, b := m.parts(w)
	un, bn, e := u[axis], b[axis], 2*m.dims+1
	total := w[e] + dot(b, b)/2
	f[0] = w[0] * un
	for a := range u {
		f[1+a] = q[1+a]*un - bn*b[a]
		f[1+m.dims+a] = b[a]*un - u[a]*bn
	}
	f[1+axis] += total
	f[e] = (q[e]+total)*un - bn*dot(u, b)
}

// flux computes the flux of Harten, Lax and van Leer with the wave speeds of Davis.
func (m plasma) flux(f []float64, axis int, l, r []float64) {
	cl, cr := m.fast(axis, l), m.fast(axis, r)
	sl, sr := min(l[1+axis]-cl, r[1+axis]-cr), max(l[1+axis]+cl, r[1+axis]+cr)
	var store [3 * 8]float64
	n := len(f)
	ql, qr, fr := store[:n], store[n:2*n], store[2*n:3*n]
	if sl >= 0 {
		m.physical(f, ql, axis, l)
		return
	}
	m.physical(fr, qr, axis, r)
	if sr <= 0 {
		copy(f, fr)
		return
	}
	m.physical(f, ql, axis, l)
	for v, fl := range f {
		f[v] = (sr*fl - sl*fr[v] + sl*sr*(qr[v]-ql[v])) / (sr - sl)
	}
}

// mhd returns the system of magnetohydrodynamics in a periodic box, as in The Well's MHD,
// but with an energy equation.
func mhd(name string, dims int) *System {
	s := &System{
		Name: name, Title: fmt.Sprintf("ideal magnetohydrodynamics in %dD, periodic", dims),
		Equation: "∂ρ/∂t + ∇·(ρu) = 0, ∂(ρu)/∂t + ∇·(ρu⊗u − B⊗B + p + B²/2) = 0, ∂B/∂t = ∇×(u×B), ∇·B = 0, " +
			"∂E/∂t + ∇·((E + p + B²/2) u − B (u·B)) = 0, p = (γ − 1)(E − ρu²/2 − B²/2)",
		Method:     "finite volumes, limited linear reconstruction, HLL flux, SSP Runge–Kutta of third order, projection of the magnetic field",
		Fields:     []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}, {Name: "magnetic_field", Order: 1}},
		Boundaries: all(dims, data.Periodic), Grid: same(dims, 32), Length: same(dims, 1.0), Frames: 31, Interval: 0.02,
		Parameters: []Parameter{{"gamma", "γ, ratio of the specific heats", 1.3, 1.67, false}, {"beta", "pressure of the gas, 1, over that of the magnetic field", 1, 20, true}},
		Variety: Variety{Grids: planes, Starts: []string{"vortices", "smooth", "blasts", "shear", "many blocks"}, Interval: [2]float64{0.004, 0.05},
			Parameters: []Parameter{{Name: "gamma", Low: 1.1, High: 1.8}, {Name: "beta", Low: 0.5, High: 100, Log: true}}},
	}
	if dims == 3 {
		s.Grid, s.Frames, s.Variety.Grids = same(3, 16), 13, boxes
	}
	s.start = startPlasma
	return s
}

// plasmaRun does not embed its solver, so that it does not implement bounded: clean uses
// Fourier modes, which need periodic boundaries.
type plasmaRun struct {
	fv     *finiteVolume
	plasma plasma
	box    *periodic
	hat    [][]complex128
}

func newPlasma(m plasma, n []int, length []float64) *plasmaRun {
	r := &plasmaRun{fv: newFiniteVolume(m, n, length, all(m.dims, data.Periodic)), plasma: m, box: newPeriodic(n, length), hat: make([][]complex128, m.dims)}
	r.fv.after = r.clean
	return r
}

// clean removes the divergence of the magnetic field, computed with central differences.
// The total energy does not change.
func (r *plasmaRun) clean() {
	b := r.fv.q[1+r.plasma.dims : 1+2*r.plasma.dims]
	for a := range b {
		r.hat[a] = r.box.forward(r.hat[a], b[a])
	}
	var d [3]float64
	for p := range r.fv.points {
		square, along := 0.0, complex128(0)
		for a := range b {
			d[a] = math.Sin(r.box.k[a][p]*r.fv.spacing[a]) / r.fv.spacing[a]
			square += d[a] * d[a]
			along += complex(d[a], 0) * r.hat[a][p]
		}
		for a := range b {
			if square > 0 {
				r.hat[a][p] -= complex(d[a]/square, 0) * along
			}
		}
	}
	for a := range b {
		r.box.inverse(b[a], r.hat[a])
	}
}

func (r *plasmaRun) Advance(time float64) error { return r.fv.advance(time) }
func (r *plasmaRun) Constants([]float32)        {}

// Frame writes density, pressure, velocity and magnetic field.
func (r *plasmaRun) Frame(dst []float32) {
	d, n := r.plasma.dims, r.fv.points
	all := make([]float32, (2*d+2)*n)
	r.fv.writePrimitive(all, 2*d+2)
	copy(dst, all[:n])
	copy(dst[n:], all[(2*d+1)*n:])
	copy(dst[2*n:], all[n:(2*d+1)*n])
}

func (r *plasmaRun) restart(frame, _ []float32) error {
	d := r.plasma.dims
	err := r.fv.fill(func(w []float64, p int) {
		w[0], w[2*d+1] = float64(frame[p]), float64(frame[r.fv.points+p])
		for v := range 2 * d {
			w[1+v] = float64(frame[(2+v)*r.fv.points+p])
		}
	})
	r.clean()
	return err
}
