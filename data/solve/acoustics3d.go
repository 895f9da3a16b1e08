package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// elastic is the equations of acoustics as conservation laws. The conserved variables are
// the strain p/K, the momentum and the density, which does not change; the primitive
// variables are pressure, velocity and density.
type elastic struct{ dims int }

func (e elastic) vars() int                    { return e.dims + 2 }
func (e elastic) mirror(w []float64, axis int) { w[1+axis] *= -1 }

func (e elastic) primitive(w, q []float64) {
	rho := q[e.dims+1]
	w[0], w[e.dims+1] = bulkModulus*q[0], rho
	for a := 1; a <= e.dims; a++ {
		w[a] = q[a] / rho
	}
}

func (e elastic) conserved(q, w []float64) {
	rho := w[e.dims+1]
	q[0], q[e.dims+1] = w[0]/bulkModulus, rho
	for a := 1; a <= e.dims; a++ {
		q[a] = w[a] * rho
	}
}

func (e elastic) speed(_ int, w []float64) float64 { return math.Sqrt(bulkModulus / w[e.dims+1]) }

func (e elastic) legal(w []float64) error {
	if rho := w[e.dims+1]; !(rho > 0) || !finite(rho) {
		return fmt.Errorf("density %v: expected a positive one", rho)
	}
	return nil
}

// flux computes the flux of the exact solution between two media: in the waves that leave
// the face, pressure and velocity are related by the impedance ρc.
func (e elastic) flux(f []float64, axis int, l, r []float64) {
	zl, zr := math.Sqrt(bulkModulus*l[e.dims+1]), math.Sqrt(bulkModulus*r[e.dims+1])
	jump := l[1+axis] - r[1+axis]
	clear(f)
	f[0] = (zl*l[1+axis] + zr*r[1+axis] + l[0] - r[0]) / (zl + zr)
	f[1+axis] = (zr*l[0] + zl*r[0] + zl*zr*jump) / (zl + zr)
}

// acoustics3D returns the system of acoustics in a 3D box.
func acoustics3D() *System {
	s := &System{
		Name: "acoustics_3d", Title: "sound in 3D scattered by inclusions",
		Equation: "∂p/∂t + K ∇·u = 0, ρ ∂u/∂t + ∇p = 0, K = 4, c = √(K/ρ)",
		Method:   "finite volumes, limited linear reconstruction, exact Riemann solver, SSP Runge–Kutta of third order",
		Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1},
			{Name: "density", Constant: true}, {Name: "speed_of_sound", Constant: true}},
		Boundaries: same(3, data.Boundary{Low: data.Wall, High: data.Open}),
		Grid:       same(3, 16), Length: same(3, 2.0), Frames: 13, Interval: 0.05,
		Parameters: []Parameter{{"contrast", "density of the inclusions, that of the medium is 1 to 2", 3, 8, false}},
		Variety: Variety{Grids: boxes, Boundaries: boxEnds(), Interval: [2]float64{0.008, 0.08},
			Starts:     []string{"shell in inclusions", "pulses", "plane wave", "random waves", "travelling waves"},
			Parameters: []Parameter{{Name: "contrast", Low: 1, High: 10, Log: true}}},
	}
	s.start = startSound3D
	return s
}

// boxEnds returns the boundaries from which runs of 3D acoustics are drawn.
func boxEnds() []data.Boundaries {
	around, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	mixed := data.Boundary{Low: data.Wall, High: data.Open}
	return []data.Boundaries{all(3, data.Periodic), all(3, data.Wall), all(3, data.Open), {mixed, mixed, mixed}, {around, around, wall},
		{around, around, open}, {around, wall, open}, {wall, wall, open}}
}

func startSound3D(u Setup) (Run, error) {
	contrast := u.Values["contrast"]
	if !(contrast > 0) {
		return nil, fmt.Errorf("contrast: expected a positive density, got %v", contrast)
	}
	c, dims := newCanvas(u), len(u.Grid)
	density := c.medium(contrast)
	if u.Start == "travelling waves" || u.Start == "shell in inclusions" {
		base := c.between(1, 2)
		for p, v := range c.smooth(2) {
			density[p] = base
			if u.Start == "shell in inclusions" && v > 1 {
				density[p] = contrast
			}
		}
	}
	pressure, velocity := c.sound(u.Start, u.Boundaries, density)
	fv := newFiniteVolume(elastic{dims}, u.Grid, c.length, u.Boundaries)
	w := make([]float64, dims+2)
	for p := range density {
		w[0], w[dims+1] = pressure[p], density[p]
		for a := range velocity {
			w[1+a] = velocity[a][p]
		}
		fv.set(p, w)
	}
	return elasticRun{fv, dims}, nil
}

type elasticRun struct {
	*finiteVolume
	dims int
}

func (r elasticRun) Advance(time float64) error { return r.advance(time) }

// Frame writes pressure and velocity.
func (r elasticRun) Frame(dst []float32) {
	r.writePrimitive(dst, r.dims+1)
}

// Constants writes density and speed of sound.
func (r elasticRun) Constants(dst []float32) {
	dst = narrow(dst, r.q[r.dims+1])
	for i, rho := range r.q[r.dims+1] {
		dst[i] = float32(math.Sqrt(bulkModulus / rho))
	}
}

func (r elasticRun) restart(frame, constants []float32) error {
	return r.fill(func(w []float64, p int) {
		for v := range r.dims + 1 {
			w[v] = float64(frame[v*r.points+p])
		}
		w[r.dims+1] = r.q[r.dims+1][p]
		if constants != nil {
			w[r.dims+1] = float64(constants[p])
		}
	})
}

// writePrimitive writes the first vars primitive variables to a frame.
func (s *finiteVolume) writePrimitive(dst []float32, vars int) {
	q, w := make([]float64, s.law.vars()), make([]float64, s.law.vars())
	for p := range s.points {
		s.law.primitive(w, s.cell(q, p))
		for v := range vars {
			dst[v*s.points+p] = float32(w[v])
		}
	}
}
