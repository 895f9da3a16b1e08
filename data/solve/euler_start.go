package solve

import (
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// gasStarts names the initial states of a gas. The first has two blocks along each axis.
var gasStarts = []string{"blocks", "many blocks", "smooth", "shock tube", "blasts", "shear"}

// gasBoundaries returns the boundaries from which runs of a gas are drawn: the system's
// default, and combinations with the others.
func gasBoundaries(dims int, bc data.BC) []data.Boundaries {
	around, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	mixed := data.Boundary{Low: data.Wall, High: data.Open}
	switch {
	case dims == 3:
		return []data.Boundaries{all(3, data.Periodic), all(3, data.Open), all(3, data.Wall), {around, around, wall},
			{around, around, open}, {around, wall, open}, {wall, open, open}}
	case bc == data.Periodic:
		return []data.Boundaries{all(2, bc), all(2, bc), {around, wall}, {around, open}, {around, mixed}}
	}
	return []data.Boundaries{all(2, bc), all(2, bc), all(2, data.Wall), {wall, open}, {mixed, open}, {mixed, mixed}}
}

// gasState holds the primitive variables of a gas, [variable][point].
type gasState struct {
	*canvas
	dims              int
	density, pressure []float64
	velocity          [][]float64
}

// newGasState returns a gas at rest with density and pressure 1.
func newGasState(c *canvas) *gasState {
	s := &gasState{canvas: c, dims: len(c.n)}
	one := func() []float64 {
		out := make([]float64, c.points)
		for p := range out {
			out[p] = 1
		}
		return out
	}
	s.density, s.pressure = one(), one()
	for range s.dims {
		s.velocity = append(s.velocity, make([]float64, c.points))
	}
	return s
}

// draw draws one of gasStarts, except the first.
func (s *gasState) draw(kind string, bcs data.Boundaries) {
	switch kind {
	case "many blocks":
		most := 4
		if s.dims == 3 {
			most = 3
		}
		s.blocky(1, most)
	case "smooth":
		s.wavy()
	case "shock tube":
		s.tube(bcs)
	case "blasts":
		s.blasts(bcs)
	default:
		s.shear(bcs)
	}
	if s.rng.IntN(2) == 0 {
		return
	}
	// Half of the states have another unit of mass and, if the box allows it, a mean
	// velocity.
	unit := math.Exp(s.between(-2, 2))
	for p := range s.density {
		s.density[p] *= unit
		s.pressure[p] *= unit
	}
	for a, v := range s.velocity {
		drift := s.between(-0.6, 0.6)
		if bcs[a].IsPeriodic() {
			for p := range v {
				v[p] += drift
			}
		}
	}
}

// blocky sets every block to a random state.
func (s *gasState) blocky(least, most int) {
	index, n := s.blocks(least, most)
	if n == 1 {
		index, n = s.blocks(2, most)
	}
	states := make([][]float64, n)
	for i := range states {
		states[i] = []float64{s.between(0.2, 1.4), s.between(0.2, 1.4)}
		for range s.dims {
			states[i] = append(states[i], s.between(-0.5, 0.5))
		}
	}
	for p, i := range index {
		s.density[p], s.pressure[p] = states[i][0], states[i][1]
		for a := range s.velocity {
			s.velocity[a][p] = states[i][2+a]
		}
	}
}

// wavy draws smooth random density, pressure and velocity.
func (s *gasState) wavy() {
	waves := s.between(0.7, 2.5)
	apply := func(to []float64, strength float64) {
		for p, v := range s.smooth(waves) {
			to[p] *= math.Exp(strength * v)
		}
	}
	apply(s.density, s.between(0.05, 0.5))
	apply(s.pressure, s.between(0.02, 0.4))
	speed := math.Exp(s.between(math.Log(0.05), math.Log(0.5)))
	for a := range s.velocity {
		for p, v := range s.smooth(waves) {
			s.velocity[a][p] = speed * v
		}
	}
}

// tube separates two states by a plane normal to an axis, as in Sod's shock tube. A
// periodic axis has two planes.
func (s *gasState) tube(bcs data.Boundaries) {
	axis := s.rng.IntN(s.dims)
	at, width := s.between(0.3, 0.7), s.between(0.3, 0.6)
	ratio := math.Exp(s.between(math.Log(0.08), math.Log(0.7)))
	dilution, speed := math.Pow(ratio, s.between(0.3, 1.2)), s.between(-0.4, 0.4)
	flip := s.rng.IntN(2) == 0
	ripple := s.smooth(1.5)
	strength := s.between(0, 0.1)
	for p := range s.density {
		x := s.position(p)[axis] / s.length[axis]
		far := x > at
		if bcs[axis].IsPeriodic() {
			far = math.Abs(x-at) > width/2
		}
		if far != flip {
			s.density[p], s.pressure[p] = dilution, ratio
			s.velocity[axis][p] = speed
		}
		s.density[p] *= math.Exp(strength * ripple[p])
	}
}

// blasts raises the pressure in a few Gaussian spots of a gas of varying density.
func (s *gasState) blasts(bcs data.Boundaries) {
	strength := s.between(0, 0.4)
	for p, v := range s.smooth(s.between(0.7, 2)) {
		s.density[p] *= math.Exp(strength * v)
	}
	over := math.Exp(s.between(0, math.Log(12)))
	for p, v := range s.bumps(s.count(1, 4), 0.5, 1, bcs) {
		s.pressure[p] = 0.5 * (1 + over*v)
	}
}

// shear draws layers that slide along each other, with a perturbation that makes them roll
// up (Kelvin–Helmholtz).
func (s *gasState) shear(bcs data.Boundaries) {
	across := s.rng.IntN(s.dims)
	along := (across + 1 + s.rng.IntN(s.dims-1)) % s.dims
	at, width := s.between(0.35, 0.65), s.between(0.3, 0.6)
	thick := s.between(0.02, 0.06) * s.side / s.length[across]
	speed, dense := s.between(0.3, 1), s.between(1, 2.5)
	strength := s.between(0.02, 0.1)
	ripple, level := s.smooth(s.between(1, 3)), s.between(0.6, 2.5)
	for p := range s.density {
		x := s.position(p)[across] / s.length[across]
		side := math.Tanh((x - at) / thick)
		if bcs[across].IsPeriodic() {
			d := math.Abs(x - at)
			side = math.Tanh((min(d, 1-d) - width/2) / thick)
		}
		s.velocity[along][p] = speed / 2 * side
		s.velocity[across][p] = speed * strength * ripple[p]
		s.density[p] = 1 + (dense-1)*(1-side)/2
		s.pressure[p] = level
	}
}

// into copies the state to a solver.
func (s *gasState) into(fv *finiteVolume) {
	w := make([]float64, s.dims+2)
	for p := range s.density {
		w[0], w[s.dims+1] = s.density[p], s.pressure[p]
		for a := range s.velocity {
			w[1+a] = s.velocity[a][p]
		}
		fv.set(p, w)
	}
}

// startGas starts a run of one of gasStarts, except the first.
func startGas(u Setup, g gas) Run {
	c := newCanvas(u)
	s := newGasState(c)
	s.draw(u.Start, u.Boundaries)
	fv := newFiniteVolume(g, u.Grid, c.length, u.Boundaries)
	s.into(fv)
	return gasRun{fv, g}
}
