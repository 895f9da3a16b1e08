package steer

import (
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Observations are values of one channel that are known at some points.
type Observations struct {
	// Channel is the name of a scalar or of a component: "pressure", "velocity_x".
	Channel string
	// Points lists points of the grid by their index in row-major order.
	Points []int
	// Values holds, for each step from 1, a value for each point, in the window's units. NaN
	// marks a value that is missing. A row that is nil and steps beyond the last row have no
	// observations.
	Values [][]float32
	// Strength is the part of the difference to the observation that is corrected, above 0
	// and at most 1; 0 means 1, which replaces the forecast by the observation.
	Strength float64
}

// Nudge moves the forecast towards observations: u += Strength·(value − u) at their points.
func Nudge(observations ...Observations) walrus.Correction {
	list := slices.Clone(observations)
	return func(step int, history, frame *data.Window) error {
		s, err := newState(history, frame)
		if err != nil {
			return fmt.Errorf("steer: nudge: %w", err)
		}
		for _, o := range list {
			if err := o.apply(s, step); err != nil {
				return fmt.Errorf("steer: nudge: channel %s: %w", o.Channel, err)
			}
		}
		return nil
	}
}

// apply nudges one frame.
func (o Observations) apply(s *state, step int) error {
	if !(o.Strength >= 0 && o.Strength <= 1) {
		return fmt.Errorf("expected a strength from 0 to 1, got %v", o.Strength)
	}
	u, _, err := s.channel(o.Channel)
	if err != nil {
		return err
	}
	if step < 1 || step > len(o.Values) || o.Values[step-1] == nil {
		return nil
	}
	values := o.Values[step-1]
	if len(values) != len(o.Points) {
		return fmt.Errorf("step %d: expected a value for each of %d points, got %d", step, len(o.Points), len(values))
	}
	strength := o.Strength
	if strength == 0 {
		strength = 1
	}
	for i, p := range o.Points {
		v := float64(values[i])
		if p < 0 || p >= s.points {
			return fmt.Errorf("expected points from 0 to %d of the grid %v, got %d", s.points-1, s.frame.Grid, p)
		}
		if math.IsInf(v, 0) {
			return fmt.Errorf("step %d: expected finite values, or NaN for missing ones, got %v at point %d", step, v, p)
		}
		if math.IsNaN(v) || !s.fluid(p) {
			continue
		}
		u[p] = float32((1-strength)*float64(u[p]) + strength*v)
	}
	return nil
}

// Hold keeps the channels at the given points as they are in the last frame of the history:
// values that do not change in time, such as those of an inlet ([BoundaryPoints]).
func Hold(points []int, channels ...string) walrus.Correction {
	points, channels = slices.Clone(points), slices.Clone(channels)
	return func(_ int, history, frame *data.Window) error {
		s, err := newState(history, frame)
		if err != nil {
			return fmt.Errorf("steer: hold: %w", err)
		}
		for _, c := range channels {
			u, last, err := s.channel(c)
			if err != nil {
				return fmt.Errorf("steer: hold: %w", err)
			}
			for _, p := range points {
				if p < 0 || p >= s.points {
					return fmt.Errorf("steer: hold: expected points from 0 to %d of the grid %v, got %d", s.points-1, s.frame.Grid, p)
				}
				if s.fluid(p) {
					u[p] = last[p]
				}
			}
		}
		return nil
	}
}

// BoundaryPoints returns the points of the first layers of a grid along an axis, at its low
// or high end, by their index in row-major order.
func BoundaryPoints(grid []int, axis int, high bool, layers int) ([]int, error) {
	if axis < 0 || axis >= len(grid) || layers < 1 || layers > grid[axis] {
		return nil, fmt.Errorf("steer: boundary points: expected an axis of the grid %v and at least one of its layers, got axis %d and %d layers", grid, axis, layers)
	}
	points, stride := 1, 1
	for a, n := range grid {
		if n < 1 || n > (1<<31)/points {
			return nil, fmt.Errorf("steer: boundary points: expected a grid of positive lengths with at most 2^31 points, got %v", grid)
		}
		points *= n
		if a > axis {
			stride *= n
		}
	}
	from, to := 0, layers
	if high {
		from, to = grid[axis]-layers, grid[axis]
	}
	var out []int
	for outer := 0; outer < points; outer += stride * grid[axis] {
		for p := outer + from*stride; p < outer+to*stride; p++ {
			out = append(out, p)
		}
	}
	return out, nil
}
