package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// law is a system of conservation laws ∂q/∂t + ∇·f(q) = 0.
type law interface {
	// vars is the number of conserved variables; momentum is the index of the one
	// along an axis, which changes its sign at a wall.
	vars() int
	momentum(axis int) int
	// primitive and conserved convert the variables of one cell.
	primitive(w, q []float64)
	conserved(q, w []float64)
	// flux computes the flux through a face with the normal along axis, from the
	// primitive variables on its two sides.
	flux(f []float64, axis int, left, right []float64)
	// speed is the fastest signal along an axis.
	speed(axis int, w []float64) float64
	// legal returns an error for a state that cannot be.
	legal(w []float64) error
}

// finiteVolume solves a law on cells: slopes of the primitive variables limited
// by van Leer's harmonic mean, an approximate Riemann solver at the faces, and
// the strong-stability-preserving Runge–Kutta scheme of third order in time.
// Mass and the other sums are kept to rounding in a periodic box.
type finiteVolume struct {
	law        law
	n          []int
	spacing    []float64
	boundaries data.Boundaries
	points     int
	q          [][]float64 // variable, point
	rate, old  [][]float64
}

func newFiniteVolume(l law, n []int, length []float64, bcs data.Boundaries) *finiteVolume {
	s := &finiteVolume{law: l, n: n, boundaries: bcs, points: 1}
	for a, x := range n {
		s.points *= x
		s.spacing = append(s.spacing, length[a]/float64(x))
	}
	for range l.vars() {
		s.q = append(s.q, make([]float64, s.points))
		s.rate = append(s.rate, make([]float64, s.points))
		s.old = append(s.old, make([]float64, s.points))
	}
	return s
}

// cell reads the conserved variables of a point.
func (s *finiteVolume) cell(q []float64, p int) []float64 {
	for v := range q {
		q[v] = s.q[v][p]
	}
	return q
}

// set writes a point from primitive variables.
func (s *finiteVolume) set(p int, w []float64) {
	q := make([]float64, len(w))
	s.law.conserved(q, w)
	for v, x := range q {
		s.q[v][p] = x
	}
}

// step is a stable time step; the state must be legal.
func (s *finiteVolume) step() (float64, error) {
	q, w := make([]float64, s.law.vars()), make([]float64, s.law.vars())
	fastest := 1e-12
	for p := range s.points {
		s.law.primitive(w, s.cell(q, p))
		if err := s.law.legal(w); err != nil {
			return 0, fmt.Errorf("point %d: %w", p, err)
		}
		rate := 0.0
		for a, h := range s.spacing {
			rate += s.law.speed(a, w) / h
		}
		fastest = max(fastest, rate)
	}
	return 0.4 / fastest, nil
}

// advance goes on by a time.
func (s *finiteVolume) advance(time float64) error {
	for time > 0 {
		h, err := s.step()
		if err != nil {
			return err
		}
		h = min(h, time)
		if time-h < 1e-9*h {
			h = time
		}
		s.once(h)
		time -= h
	}
	return lost(s.q...)
}

// sspStages are the weights of the old state and of the Euler step in the stages
// of the strong-stability-preserving Runge–Kutta scheme of third order (Shu and
// Osher, J. Comput. Phys. 77, 1988).
var sspStages = [3][2]float64{{0, 1}, {0.75, 0.25}, {1.0 / 3, 2.0 / 3}}

// once does one step of the Runge–Kutta scheme.
func (s *finiteVolume) once(h float64) {
	for v := range s.q {
		copy(s.old[v], s.q[v])
	}
	for _, c := range sspStages {
		s.rates()
		for v, q := range s.q {
			for p := range q {
				q[p] = c[0]*s.old[v][p] + c[1]*(q[p]+h*s.rate[v][p])
			}
		}
	}
}

// rates computes −∇·f.
func (s *finiteVolume) rates() {
	for _, r := range s.rate {
		clear(r)
	}
	stride := s.points
	for axis, n := range s.n {
		stride /= n
		line := newLine(s, axis, n)
		for p := range s.points {
			if p/stride%n == 0 {
				line.add(p, stride)
			}
		}
	}
}

// ghosts is the number of cells beyond each end of a line.
const ghosts = 2

// line is a row of cells along one axis with its ghosts.
type line struct {
	s     *finiteVolume
	axis  int
	n     int
	w     [][]float64 // cell, variable
	slope [][]float64
	q     []float64
	l, r  []float64
	faces [][]float64
}

func newLine(s *finiteVolume, axis, n int) *line {
	vars := s.law.vars()
	rows := func(k int) [][]float64 {
		out := make([][]float64, k)
		for i := range out {
			out[i] = make([]float64, vars)
		}
		return out
	}
	return &line{s: s, axis: axis, n: n, w: rows(n + 2*ghosts), slope: rows(n + 2*ghosts), faces: rows(n + 1),
		q: make([]float64, vars), l: make([]float64, vars), r: make([]float64, vars)}
}

// add adds the rates of the line that begins at a point.
func (l *line) add(p, stride int) {
	s := l.s
	for i := range l.n {
		s.law.primitive(l.w[i+ghosts], s.cell(l.q, p+i*stride))
	}
	l.fillGhosts()
	for i := 1; i < len(l.w)-1; i++ {
		for v := range l.q {
			l.slope[i][v] = vanLeer(l.w[i][v]-l.w[i-1][v], l.w[i+1][v]-l.w[i][v])
		}
	}
	for i := range l.faces {
		a, b := i+ghosts-1, i+ghosts
		for v := range l.q {
			l.l[v] = l.w[a][v] + l.slope[a][v]/2
			l.r[v] = l.w[b][v] - l.slope[b][v]/2
		}
		s.law.flux(l.faces[i], l.axis, l.l, l.r)
	}
	h := s.spacing[l.axis]
	for i := range l.n {
		for v := range l.q {
			s.rate[v][p+i*stride] -= (l.faces[i+1][v] - l.faces[i][v]) / h
		}
	}
}

// fillGhosts sets the cells beyond the ends: those of the other end, copies of
// the last one, or mirror images.
func (l *line) fillGhosts() {
	bc, n := l.s.boundaries[l.axis], l.n
	for g := range ghosts {
		for _, e := range []struct {
			bc                     data.BC
			to, wrap, edge, mirror int
		}{
			{bc.Low, ghosts - 1 - g, n + ghosts - 1 - g, ghosts, ghosts + g},
			{bc.High, n + ghosts + g, ghosts + g, n + ghosts - 1, n + ghosts - 1 - g},
		} {
			switch e.bc {
			case data.Periodic:
				copy(l.w[e.to], l.w[e.wrap])
			case data.Open:
				copy(l.w[e.to], l.w[e.edge])
			default:
				copy(l.w[e.to], l.w[e.mirror])
				l.w[e.to][l.s.law.momentum(l.axis)] *= -1
			}
		}
	}
}

// vanLeer is the harmonic mean of two slopes, 0 if they disagree.
func vanLeer(a, b float64) float64 {
	if a*b <= 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// hll is the flux of Harten, Lax and van Leer between the wave speeds sl and sr.
func hll(f []float64, sl, sr float64, ql, qr, fl, fr []float64) {
	for v := range f {
		switch {
		case sl >= 0:
			f[v] = fl[v]
		case sr <= 0:
			f[v] = fr[v]
		default:
			f[v] = (sr*fl[v] - sl*fr[v] + sl*sr*(qr[v]-ql[v])) / (sr - sl)
		}
	}
}

// finite reports whether a number is one.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
