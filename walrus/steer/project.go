package steer

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/fft"
	"github.com/gowalrus/gowalrus/walrus"
)

// DivergenceFree projects a vector field onto divergence-free fields by Fourier transform
// (the Helmholtz projection): û − k (k·û)/|k|². It keeps the mean. The highest mode of an axis
// with an even number of points has no real derivative and counts as k = 0 along it. The
// divergence is that of the Fourier series; finite differences of the result are 0 only up to
// their own error.
//
// All axes of more than one point must be periodic and evenly spaced, and the window may have
// no solid points. spacing holds the distance of two points along each axis; without it the
// window must have coordinates.
func DivergenceFree(field string, spacing ...float64) walrus.Correction {
	fail := func(err error) error { return fmt.Errorf("steer: divergence-free: %w", err) }
	return func(_ int, history, frame *data.Window) error {
		s, err := newState(history, frame)
		if err != nil {
			return fail(err)
		}
		h, err := s.spacing(spacing)
		if err != nil {
			return fail(err)
		}
		u, err := s.vector(field)
		if err != nil {
			return fail(err)
		}
		project(u, frame.Grid, h)
		return nil
	}
}

// vector returns the components of a vector field, one for each axis.
func (s *state) vector(field string) (u [][]float32, err error) {
	channels, err := s.components(field)
	if err != nil {
		return nil, err
	}
	if len(channels) != len(s.frame.Grid) {
		return nil, fmt.Errorf("field %s: expected a vector of %d components, got %v", field, len(s.frame.Grid), channels)
	}
	for _, c := range channels {
		values, _, err := s.channel(c)
		if err != nil {
			return nil, err
		}
		u = append(u, values)
	}
	return u, nil
}

// spacing checks that the window is a periodic box and returns the distance of two points
// along each axis.
func (s *state) spacing(given []float64) ([]float64, error) {
	w := s.frame
	if w.Curvilinear {
		return nil, fmt.Errorf("expected Cartesian coordinates, got curvilinear ones")
	}
	if s.solid != nil {
		return nil, fmt.Errorf("expected a window without solid points, got the field %s", data.MaskName)
	}
	if len(given) != 0 && len(given) != len(w.Grid) {
		return nil, fmt.Errorf("spacing: expected one per axis of the grid %v, got %v", w.Grid, given)
	}
	out := make([]float64, len(w.Grid))
	for a, n := range w.Grid {
		out[a] = 1
		if n == 1 {
			continue
		}
		if w.Boundaries[a] != data.Both(data.Periodic) {
			return nil, fmt.Errorf("axis %d: expected periodic boundaries, got %v", a, w.Boundaries[a])
		}
		if len(given) != 0 {
			out[a] = given[a]
		} else if w.Coordinates != nil {
			c := w.Coordinates[a]
			out[a] = (float64(c[n-1]) - float64(c[0])) / float64(n-1)
			for i, x := range c {
				if d := math.Abs(float64(x) - float64(c[0]) - float64(i)*out[a]); !(d <= 0.01*math.Abs(out[a])) {
					return nil, fmt.Errorf("axis %d: expected evenly spaced coordinates, got %v at point %d", a, x, i)
				}
			}
		} else {
			return nil, fmt.Errorf("expected the spacing of the points, or a window with coordinates, got neither")
		}
		if h := math.Abs(out[a]); !(h > 0) || math.IsInf(h, 0) {
			return nil, fmt.Errorf("axis %d: expected a spacing that is finite and not 0, got %v", a, out[a])
		}
	}
	return out, nil
}

// project subtracts the gradient part of u, one component for each axis.
func project(u [][]float32, grid []int, h []float64) {
	hat := make([][]complex128, len(u))
	for a, values := range u {
		hat[a] = make([]complex128, len(values))
		for i, v := range values {
			hat[a][i] = complex(float64(v), 0)
		}
		fft.Transform(hat[a], grid)
	}
	k := make([]float64, len(u))
	for i := range hat[0] {
		dot, square := complex128(0), 0.0
		for a, n := range grid {
			m := fft.Mode(i, grid, a)
			if 2*m == n {
				m = 0
			}
			k[a] = float64(m) / (float64(n) * h[a])
			dot += complex(k[a], 0) * hat[a][i]
			square += k[a] * k[a]
		}
		for a := range hat {
			hat[a][i] = 0
			if square > 0 {
				hat[a][i] = dot * complex(k[a]/square, 0)
			}
		}
	}
	for a, values := range u {
		fft.Invert(hat[a], grid)
		for i := range values {
			values[i] = float32(float64(values[i]) - real(hat[a][i]))
		}
	}
}
