package solve

import (
	"fmt"
	"math"
)

// startPlasma starts a run from a state of a gas or from vortices like those of Orszag and
// Tang, with a magnetic field of random modes and a mean.
func startPlasma(u Setup) (Run, error) {
	gamma, beta := u.Values["gamma"], u.Values["beta"]
	if !(gamma > 1) {
		return nil, fmt.Errorf("gamma: expected more than 1, got %v", gamma)
	}
	if !(beta > 0) {
		return nil, fmt.Errorf("beta: expected a positive number, got %v", beta)
	}
	c := newCanvas(u)
	s, field := newGasState(c), make([][]float64, len(u.Grid))
	if u.Start == "vortices" {
		s.vortices(field)
	} else {
		s.draw(u.Start, u.Boundaries)
		waves := s.between(0.7, 2)
		mean, share := s.direction(), s.between(0, 1)
		for a := range field {
			field[a] = s.smooth(waves)
			for p := range field[a] {
				field[a][p] = share*mean[a] + (1-share)*field[a][p]/math.Sqrt(float64(s.dims))
			}
		}
	}
	r := newPlasma(plasma{s.dims, gamma}, u.Grid, c.length)
	s.magnetise(r, field, beta)
	return r, nil
}

// vortices draws velocity and magnetic field as sums of a few sines, which form current
// sheets (Orszag and Tang, J. Fluid Mech. 90, 1979).
func (s *gasState) vortices(field [][]float64) {
	speed := s.between(0.3, 0.9)
	for a := range field {
		across := (a + 1) % s.dims
		field[a] = make([]float64, s.points)
		waves, twice, phase, other := float64(s.count(1, 2)), float64(s.count(1, 2)), s.between(0, 2*math.Pi), s.between(0, 2*math.Pi)
		for p := range s.density {
			x := 2 * math.Pi * s.position(p)[across] / s.length[across]
			s.velocity[a][p] = speed * math.Sin(waves*x+phase)
			field[a][p] = math.Sin(twice*x + other)
		}
	}
}

// magnetise copies gas and field to a solver. It scales the field such that, after
// cleaning, its mean square is 2/beta times the mean pressure.
func (s *gasState) magnetise(r *plasmaRun, field [][]float64, beta float64) {
	b := r.fv.q[1+s.dims : 1+2*s.dims]
	for a := range b {
		copy(b[a], field[a])
	}
	r.clean()
	square, pressure := 0.0, 0.0
	for p, v := range s.pressure {
		pressure += v
		for a := range b {
			square += b[a][p] * b[a][p]
		}
	}
	scale := math.Sqrt(2 * pressure / beta / square)
	w := make([]float64, r.fv.law.vars())
	for p := range s.density {
		w[0], w[2*s.dims+1] = s.density[p], s.pressure[p]
		for a := range b {
			w[1+a], w[1+s.dims+a] = s.velocity[a][p], scale*b[a][p]
		}
		r.fv.set(p, w)
	}
}
