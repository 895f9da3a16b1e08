package steer

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/walrus"
)

// ConserveMean adds a constant to every component of the given fields, so that its mean over
// the grid, and with it its integral, stays that of the last frame of the history. Points
// count with the volume of their cells, from the window's coordinates; without coordinates
// all cells have the same volume. Curvilinear windows are refused, because their volumes are
// unknown.
func ConserveMean(fields ...string) walrus.Correction {
	return perChannel("conserve mean", fields, func(s *state, u, last []float32) error {
		want, got, err := s.means(u, last)
		if err != nil || want == got {
			return err
		}
		for p := range u {
			if s.fluid(p) {
				u[p] = float32(float64(u[p]) + want - got)
			}
		}
		return nil
	})
}

// RescaleMean is [ConserveMean], but multiplies by a constant, which keeps positive fields
// positive. A forecast whose mean is not of the sign of the history's is an error.
func RescaleMean(fields ...string) walrus.Correction {
	return perChannel("rescale mean", fields, func(s *state, u, last []float32) error {
		want, got, err := s.means(u, last)
		if err != nil || want == got {
			return err
		}
		factor := want / got
		if !(factor > 0) || math.IsInf(factor, 0) {
			return fmt.Errorf("expected a mean of the sign of that of the history, %v, got %v", want, got)
		}
		for p := range u {
			if s.fluid(p) {
				u[p] = float32(factor * float64(u[p]))
			}
		}
		return nil
	})
}

// means returns the means of a channel in the history's last frame and in the forecast.
func (s *state) means(u, last []float32) (want, got float64, err error) {
	widths, err := s.widths()
	if err != nil {
		return 0, 0, err
	}
	total := 0.0
	for p := range u {
		if !s.fluid(p) {
			continue
		}
		volume, rest := 1.0, p
		for a := len(s.frame.Grid) - 1; a >= 0; a-- {
			if widths[a] != nil {
				volume *= widths[a][rest%s.frame.Grid[a]]
			}
			rest /= s.frame.Grid[a]
		}
		total += volume
		want += volume * float64(last[p])
		got += volume * float64(u[p])
	}
	if total == 0 {
		return 0, 0, nil
	}
	return want / total, got / total, nil
}

// widths returns the widths of the cells along each axis; nil for axes of one point and
// without coordinates. A cell reaches half way to its neighbours, and at the ends of an axis
// as far out as in.
func (s *state) widths() ([][]float64, error) {
	w := s.frame
	if w.Curvilinear {
		return nil, fmt.Errorf("expected Cartesian coordinates, got curvilinear ones, whose cell volumes are unknown")
	}
	out := make([][]float64, len(w.Grid))
	for a, c := range w.Coordinates {
		n := len(c)
		if n < 2 {
			continue
		}
		out[a] = make([]float64, n)
		for i := range c {
			low, high := max(i-1, 0), min(i+1, n-1)
			out[a][i] = math.Abs(float64(c[high])-float64(c[low])) / float64(high-low)
			if !(out[a][i] > 0) || math.IsInf(out[a][i], 0) {
				return nil, fmt.Errorf("coordinates of axis %d: expected increasing or decreasing finite values, got %v and %v", a, c[low], c[high])
			}
		}
	}
	return out, nil
}
