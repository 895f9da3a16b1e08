package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// water is the shallow-water equations over a flat bottom with g = 1. The conserved
// variables are height and height times velocity; the primitive variables are height and
// velocity.
type water struct{}

func (water) vars() int                    { return 3 }
func (water) mirror(w []float64, axis int) { w[1+axis] *= -1 }

func (water) primitive(w, q []float64) { w[0], w[1], w[2] = q[0], q[1]/q[0], q[2]/q[0] }
func (water) conserved(q, w []float64) { q[0], q[1], q[2] = w[0], w[0]*w[1], w[0]*w[2] }

func (water) speed(axis int, w []float64) float64 { return math.Abs(w[1+axis]) + math.Sqrt(w[0]) }

func (water) legal(w []float64) error {
	if !(w[0] > 0) || !finite(w[0]) {
		return fmt.Errorf("height %v: expected a positive one; a finer grid or a milder start may help", w[0])
	}
	return nil
}

// flux computes the flux of Harten, Lax and van Leer.
func (s water) flux(f []float64, axis int, l, r []float64) {
	cl, cr := math.Sqrt(l[0]), math.Sqrt(r[0])
	sl, sr := min(l[1+axis]-cl, r[1+axis]-cr), max(l[1+axis]+cl, r[1+axis]+cr)
	var ql, qr, fl, fr [3]float64
	if sl >= 0 {
		s.physical(f, ql[:], axis, l)
		return
	}
	if sr <= 0 {
		s.physical(f, qr[:], axis, r)
		return
	}
	s.physical(fl[:], ql[:], axis, l)
	s.physical(fr[:], qr[:], axis, r)
	for v := range fl {
		f[v] = (sr*fl[v] - sl*fr[v] + sl*sr*(qr[v]-ql[v])) / (sr - sl)
	}
}

// physical computes the flux f and the conserved variables q of one state.
func (s water) physical(f, q []float64, axis int, w []float64) {
	s.conserved(q, w)
	u := w[1+axis]
	f[0], f[1], f[2] = u*q[0], u*q[1], u*q[2]
	f[1+axis] += w[0] * w[0] / 2
}

func shallowWater() *System {
	s := &System{
		Name: "shallow_water", Title: "shallow water in a basin with walls",
		Equation: "∂h/∂t + ∇·(hu) = 0, ∂(hu)/∂t + ∇·(hu⊗u + h²/2) = 0 (gravity 1, flat bottom)",
		Method:   "finite volumes, limited linear reconstruction, HLL flux, SSP Runge–Kutta of third order",
		Fields:   []data.Field{{Name: "height"}, {Name: "velocity", Order: 1}}, Boundaries: all(2, data.Wall),
		Grid: []int{32, 32}, Length: []float64{1, 1}, Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"amplitude", "height of the disturbance, depth 1", 0.1, 0.3, false}},
		Variety: Variety{Grids: planes, Boundaries: waterBoundaries(), Starts: waterStarts, Interval: [2]float64{0.006, 0.08},
			Parameters: []Parameter{{Name: "amplitude", Low: 0.02, High: 0.6, Log: true}}},
	}
	s.start = func(u Setup) (Run, error) {
		if u.Start != waterStarts[0] {
			return startWater(u)
		}
		fv := newFiniteVolume(water{}, u.Grid, s.Length, u.Boundaries)
		b := newPeriodic(u.Grid, s.Length)
		cx, cy, width := 0.2+0.6*u.Rng.Float64(), 0.2+0.6*u.Rng.Float64(), 0.06+0.08*u.Rng.Float64()
		noise := b.random(u.Rng, 2)
		for p := range fv.points {
			x := b.position(p)
			r := math.Hypot(x[0]-cx, x[1]-cy) / width
			fv.set(p, []float64{1 + u.Values["amplitude"]*(math.Exp(-r*r/2)+0.2*noise[p]), 0, 0})
		}
		return waterRun{fv}, nil
	}
	return s
}

type waterRun struct{ *finiteVolume }

func (r waterRun) Advance(time float64) error { return r.advance(time) }
func (r waterRun) Constants([]float32)        {}

// Frame writes height and velocity.
func (r waterRun) Frame(dst []float32) {
	dst = narrow(dst, r.q[0])
	u := make([]float64, r.points)
	for a := range 2 {
		for p := range u {
			u[p] = r.q[1+a][p] / r.q[0][p]
		}
		dst = narrow(dst, u)
	}
}
