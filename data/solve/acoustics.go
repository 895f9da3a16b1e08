package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// acoustics returns the system of sound in a medium of varying density between walls and
// open ends, as in The Well's acoustic_scattering_inclusions.
func acoustics() *System {
	s := &System{
		Name: "acoustics", Title: "sound scattered by inclusions, walls at the low ends, open at the high ones",
		Equation: "∂p/∂t + K ∇·u = 0, ρ ∂u/∂t + ∇p = 0, K = 4, c = √(K/ρ)",
		Method:   "staggered grid of second order, Runge–Kutta of fourth order; open ends absorb waves that meet them head-on",
		Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1},
			{Name: "density", Constant: true}, {Name: "speed_of_sound", Constant: true}},
		Boundaries: same(2, data.Boundary{Low: data.Wall, High: data.Open}),
		Grid:       []int{32, 32}, Length: []float64{2, 2}, Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"contrast", "density of the inclusions, that of the medium is 1 to 2", 3, 8, false}},
		Variety: Variety{Grids: planes, Boundaries: ends(), Starts: soundStarts, Interval: [2]float64{0.005, 0.05},
			Parameters: []Parameter{{Name: "contrast", Low: 1, High: 10, Log: true}}},
	}
	s.start = func(u Setup) (Run, error) {
		if c := u.Values["contrast"]; !(c > 0) {
			return nil, fmt.Errorf("contrast: expected a positive density, got %v", c)
		}
		if u.Start != soundStarts[0] {
			return startSound(u)
		}
		r := newSound(u.Grid, s.Length, u.Boundaries)
		b := newPeriodic(u.Grid, s.Length)
		base, noise := 1+u.Rng.Float64(), b.random(u.Rng, 2)
		cx, cy := 0.4+1.2*u.Rng.Float64(), 0.4+1.2*u.Rng.Float64()
		for p := range r.density {
			x := b.position(p)
			r.density[p] = base
			if noise[p] > 1 {
				r.density[p] = u.Values["contrast"]
			}
			ring := (math.Hypot(x[0]-cx, x[1]-cy) - 0.25) / 0.08
			r.state[0][p] = math.Exp(-ring * ring)
		}
		return r, nil
	}
	return s
}

// bulkModulus is the bulk modulus K of the medium.
const bulkModulus = 4

// sound solves the equations of acoustics in 2D on a staggered grid: pressure in the cells,
// velocities on the faces. Face i lies at the low end of cell i; the faces at the high end
// of the box are the last row of each array.
type sound struct {
	n          [2]int
	h          [2]float64
	boundaries data.Boundaries
	density    []float64
	// state holds pressure, u at x faces [nx+1, ny], and v at y faces [nx, ny+1].
	state [3][]float64
	stage [5][3][]float64
}

func newSound(n []int, length []float64, bcs data.Boundaries) *sound {
	s := &sound{n: [2]int{n[0], n[1]}, boundaries: bcs, density: make([]float64, n[0]*n[1])}
	for a := range s.h {
		s.h[a] = length[a] / float64(n[a])
	}
	make3 := func() [3][]float64 {
		return [3][]float64{make([]float64, n[0]*n[1]), make([]float64, (n[0]+1)*n[1]), make([]float64, n[0]*(n[1]+1))}
	}
	s.state = make3()
	for i := range s.stage {
		s.stage[i] = make3()
	}
	return s
}

func (s *sound) cell(i, j int) int { return i*s.n[1] + j }

// rates computes the time derivatives of a state.
func (s *sound) rates(dst, q *[3][]float64) {
	nx, ny := s.n[0], s.n[1]
	for i := range nx + 1 {
		for j := range ny {
			dst[1][i*ny+j] = s.face(q[0], i, nx, s.cell((i+nx-1)%nx, j), s.cell(i%nx, j), s.h[0], s.boundaries[0])
		}
	}
	for i := range nx {
		for j := range ny + 1 {
			dst[2][i*(ny+1)+j] = s.face(q[0], j, ny, s.cell(i, (j+ny-1)%ny), s.cell(i, j%ny), s.h[1], s.boundaries[1])
		}
	}
	s.closeEnds(q)
	for i := range nx {
		for j := range ny {
			div := (q[1][(i+1)*ny+j]-q[1][i*ny+j])/s.h[0] + (q[2][i*(ny+1)+j+1]-q[2][i*(ny+1)+j])/s.h[1]
			dst[0][s.cell(i, j)] = -bulkModulus * div
		}
	}
}

// face returns the acceleration of face i of n along an axis, between two cells. At the
// ends of an axis that is not periodic, closeEnds sets the velocity.
func (s *sound) face(p []float64, i, n, low, high int, h float64, b data.Boundary) float64 {
	if (i == 0 || i == n) && !b.IsPeriodic() {
		return 0
	}
	return -2 * (p[high] - p[low]) / (h * (s.density[low] + s.density[high]))
}

// closeEnds sets the velocities at the ends: 0 at a wall; at an open end the velocity
// p/(ρc) of an outgoing wave.
func (s *sound) closeEnds(q *[3][]float64) {
	nx, ny := s.n[0], s.n[1]
	end := func(bc data.BC, cell int, sign float64) float64 {
		if bc == data.Wall {
			return 0
		}
		return sign * q[0][cell] / math.Sqrt(bulkModulus*s.density[cell])
	}
	if b := s.boundaries[0]; !b.IsPeriodic() {
		for j := range ny {
			q[1][j] = end(b.Low, s.cell(0, j), -1)
			q[1][nx*ny+j] = end(b.High, s.cell(nx-1, j), 1)
		}
	}
	if b := s.boundaries[1]; !b.IsPeriodic() {
		for i := range nx {
			q[2][i*(ny+1)] = end(b.Low, s.cell(i, 0), -1)
			q[2][i*(ny+1)+ny] = end(b.High, s.cell(i, ny-1), 1)
		}
	}
}

// Advance advances the solution by a time with the classical Runge–Kutta scheme.
func (s *sound) Advance(time float64) error {
	c := 0.0
	for _, rho := range s.density {
		c = max(c, math.Sqrt(bulkModulus/rho))
	}
	all := math.Ceil(time * c * math.Hypot(1/s.h[0], 1/s.h[1]) / 0.8)
	if err := tooMany(all); err != nil {
		return err
	}
	steps := int(all)
	for range steps {
		s.once(time / float64(steps))
	}
	return lost(s.state[:]...)
}

func (s *sound) once(h float64) {
	k, tmp := s.stage[:4], &s.stage[4]
	s.rates(&k[0], &s.state)
	for i, part := range []float64{h / 2, h / 2, h} {
		for f := range tmp {
			for p, v := range s.state[f] {
				tmp[f][p] = v + part*k[i][f][p]
			}
		}
		s.rates(&k[i+1], tmp)
	}
	for f, q := range s.state {
		for p := range q {
			q[p] += h / 6 * (k[0][f][p] + 2*k[1][f][p] + 2*k[2][f][p] + k[3][f][p])
		}
	}
	s.closeEnds(&s.state)
}

// Frame writes the pressure and the velocity at the cell centres.
func (s *sound) Frame(dst []float32) {
	dst = narrow(dst, s.state[0])
	nx, ny := s.n[0], s.n[1]
	mean := make([]float64, nx*ny)
	for p := range mean {
		mean[p] = (s.state[1][p] + s.state[1][p+ny]) / 2
	}
	dst = narrow(dst, mean)
	for i := range nx {
		for j := range ny {
			mean[i*ny+j] = (s.state[2][i*(ny+1)+j] + s.state[2][i*(ny+1)+j+1]) / 2
		}
	}
	narrow(dst, mean)
}

// Constants writes the density and the speed of sound.
func (s *sound) Constants(dst []float32) {
	dst = narrow(dst, s.density)
	for i, rho := range s.density {
		dst[i] = float32(math.Sqrt(bulkModulus / rho))
	}
}

// energy returns ∫ p²/2K + ρu²/2, where the density of a face is the mean of its two cells.
func (s *sound) energy() float64 {
	nx, ny := s.n[0], s.n[1]
	e := 0.0
	for _, p := range s.state[0] {
		e += p * p / (2 * bulkModulus)
	}
	for i := 1; i <= nx; i++ {
		for j := range ny {
			if i < nx || s.boundaries[0].IsPeriodic() {
				u := s.state[1][i*ny+j]
				e += u * u / 4 * (s.density[s.cell(i-1, j)] + s.density[s.cell(i%nx, j)])
			}
		}
	}
	for i := range nx {
		for j := 1; j <= ny; j++ {
			if j < ny || s.boundaries[1].IsPeriodic() {
				v := s.state[2][i*(ny+1)+j]
				e += v * v / 4 * (s.density[s.cell(i, j-1)] + s.density[s.cell(i, j%ny)])
			}
		}
	}
	return e * s.h[0] * s.h[1]
}
