package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// law is a system of conservation laws ∂q/∂t + ∇·f(q) = 0.
type law interface {
	// vars returns the number of conserved variables.
	vars() int
	// mirror replaces the primitive variables of a cell by those of its mirror image in a
	// wall normal to axis.
	mirror(w []float64, axis int)
	// primitive and conserved convert the variables of one cell.
	primitive(w, q []float64)
	conserved(q, w []float64)
	// flux computes the flux through a face normal to axis from the primitive variables on
	// its two sides.
	flux(f []float64, axis int, left, right []float64)
	// speed returns the fastest signal speed along an axis.
	speed(axis int, w []float64) float64
	// legal returns an error for an unphysical state.
	legal(w []float64) error
}

// sourced is a law with a source: ∂q/∂t + ∇·f(q) = s(q).
type sourced interface {
	// source adds s to the rates of one cell.
	source(rate, w []float64)
	// pace returns the inverse of a time scale that the time step must resolve.
	pace() float64
}

// finiteVolume solves a law by finite volumes: slopes of the primitive variables limited by
// van Leer's harmonic mean, an approximate Riemann solver at the faces, and the third-order
// strong-stability-preserving Runge–Kutta scheme. In a periodic box, mass and the other
// sums are conserved up to rounding.
type finiteVolume struct {
	law        law
	n          []int
	spacing    []float64
	boundaries data.Boundaries
	points     int
	q          [][]float64 // variable, point
	rate, old  [][]float64
	w          []float64 // primitive variables of all cells, point by point
	lines      []*line   // one per axis
	after      func()    // if not nil, called after every time step
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
	s.w = make([]float64, s.points*l.vars())
	for a, x := range n {
		s.lines = append(s.lines, newLine(s, a, x))
	}
	return s
}

// cell copies the conserved variables of point p to q.
func (s *finiteVolume) cell(q []float64, p int) []float64 {
	for v := range q {
		q[v] = s.q[v][p]
	}
	return q
}

// set sets point p to the given primitive variables.
func (s *finiteVolume) set(p int, w []float64) {
	q := make([]float64, len(w))
	s.law.conserved(q, w)
	for v, x := range q {
		s.q[v][p] = x
	}
}

// step returns a stable time step, or an error if the state is not legal.
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
	if law, ok := s.law.(sourced); ok {
		fastest = max(fastest, law.pace())
	}
	return 0.4 / fastest, nil
}

// advance advances the solution by a time.
func (s *finiteVolume) advance(time float64) error {
	for time > 0 {
		h, err := s.step()
		if err != nil {
			return err
		}
		if err := tooMany(time / h); err != nil {
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

// sspStages holds the weights of the old state and of the Euler step in each stage of the
// third-order strong-stability-preserving Runge–Kutta scheme (Shu and Osher, J. Comput.
// Phys. 77, 1988).
var sspStages = [3][2]float64{{0, 1}, {0.75, 0.25}, {1.0 / 3, 2.0 / 3}}

// once takes one step of the Runge–Kutta scheme.
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
	if s.after != nil {
		s.after()
	}
}

// rates computes −∇·f and adds the source, if the law has one.
func (s *finiteVolume) rates() {
	vars := s.law.vars()
	q := make([]float64, vars)
	for p := range s.points {
		s.law.primitive(s.w[p*vars:(p+1)*vars], s.cell(q, p))
	}
	for _, r := range s.rate {
		clear(r)
	}
	stride := s.points
	for axis, n := range s.n {
		stride /= n
		for first := 0; first < s.points; first += n * stride {
			for p := first; p < first+stride; p++ {
				s.lines[axis].add(p, stride)
			}
		}
	}
	if law, ok := s.law.(sourced); ok {
		s.addSource(law)
	}
}

func (s *finiteVolume) addSource(law sourced) {
	vars := s.law.vars()
	rate := make([]float64, vars)
	for p := range s.points {
		clear(rate)
		law.source(rate, s.w[p*vars:(p+1)*vars])
		for v, r := range rate {
			s.rate[v][p] += r
		}
	}
}

// ghosts is the number of ghost cells at each end of a line.
const ghosts = 2

// line is a row of cells along one axis with its ghost cells. Its arrays store all
// variables of a cell or face contiguously.
type line struct {
	s        *finiteVolume
	axis, n  int
	vars     int
	w, slope []float64
	faces    []float64
	l, r     []float64
}

func newLine(s *finiteVolume, axis, n int) *line {
	vars := s.law.vars()
	row := func(k int) []float64 { return make([]float64, k*vars) }
	return &line{s: s, axis: axis, n: n, vars: vars, w: row(n + 2*ghosts), slope: row(n + 2*ghosts), faces: row(n + 1), l: row(1), r: row(1)}
}

// at returns the primitive variables of cell i, where i counts the ghost cells.
func (l *line) at(i int) []float64 { return l.w[i*l.vars : (i+1)*l.vars] }

// add adds the rates of the line that starts at point p.
func (l *line) add(p, stride int) {
	s, vars := l.s, l.vars
	for i := range l.n {
		copy(l.at(i+ghosts), s.w[(p+i*stride)*vars:])
	}
	l.fillGhosts()
	l.findSlopes()
	for i := range l.n + 1 {
		a := (i + ghosts - 1) * vars
		for v := range vars {
			l.l[v] = l.w[a+v] + l.slope[a+v]/2
			l.r[v] = l.w[a+vars+v] - l.slope[a+vars+v]/2
		}
		s.law.flux(l.faces[i*vars:(i+1)*vars], l.axis, l.l, l.r)
	}
	h := s.spacing[l.axis]
	for v, rate := range s.rate {
		for i := range l.n {
			rate[p+i*stride] -= (l.faces[(i+1)*vars+v] - l.faces[i*vars+v]) / h
		}
	}
}

// findSlopes computes the limited slopes of all cells except the outermost ghost cells.
func (l *line) findSlopes() {
	vars := l.vars
	end := len(l.w) - vars
	low, mid, high, slope := l.w[:end-vars], l.w[vars:end], l.w[2*vars:], l.slope[vars:end]
	for i, v := range mid {
		slope[i] = vanLeer(v-low[i], high[i]-v)
	}
}

// fillGhosts sets the ghost cells: to cells of the other end, copies of the last cell, or
// mirror images.
func (l *line) fillGhosts() {
	bc, n := l.s.boundaries[l.axis], l.n
	for g := range ghosts {
		l.fillGhost(bc.Low, ghosts-1-g, n+ghosts-1-g, ghosts, ghosts+g)
		l.fillGhost(bc.High, n+ghosts+g, ghosts+g, n+ghosts-1, n+ghosts-1-g)
	}
}

// fillGhost sets ghost cell to from the cell for its boundary condition: wrap if periodic,
// edge if open, mirror at a wall.
func (l *line) fillGhost(bc data.BC, to, wrap, edge, mirror int) {
	switch bc {
	case data.Periodic:
		copy(l.at(to), l.at(wrap))
	case data.Open:
		copy(l.at(to), l.at(edge))
	default:
		copy(l.at(to), l.at(mirror))
		l.s.law.mirror(l.at(to), l.axis)
	}
}

// vanLeer returns the harmonic mean of two slopes, or 0 if their signs differ.
func vanLeer(a, b float64) float64 {
	if a*b <= 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// finite reports whether v is neither NaN nor infinite.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
