package steer

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Sequence applies corrections one after the other.
func Sequence(corrections ...walrus.Correction) walrus.Correction {
	list := slices.Clone(corrections)
	return func(step int, history, frame *data.Window) error {
		for i, f := range list {
			if f == nil {
				return fmt.Errorf("steer: correction %d: expected a function, got nil", i)
			}
			if err := f(step, history, frame); err != nil {
				return err
			}
		}
		return nil
	}
}

// state is what a correction works on.
type state struct {
	history, frame *data.Window
	points         int
	solid          []bool // nil without solid points
}

// newState checks the windows that a correction gets.
func newState(history, frame *data.Window) (*state, error) {
	for _, w := range []*data.Window{history, frame} {
		if err := w.ValidateLengths(); err != nil {
			return nil, err
		}
	}
	if len(frame.Frames) != 1 || len(history.Frames) == 0 || len(history.Frames[0]) != len(frame.Frames[0]) {
		return nil, fmt.Errorf("expected a frame, and a history of frames of the same fields, got %d and %d frames", len(frame.Frames), len(history.Frames))
	}
	s := &state{history: history, frame: frame, points: frame.Points()}
	for i, name := range frame.Channels(true) {
		if name != data.MaskName {
			continue
		}
		s.solid = make([]bool, s.points)
		for p := range s.solid {
			s.solid[p] = frame.Constants[i*s.points+p] != 0
		}
	}
	return s, nil
}

// channel returns the values of a channel in the forecast and in the last frame of the
// history.
func (s *state) channel(name string) (u, last []float32, err error) {
	names := s.frame.Channels(false)
	c := slices.Index(names, name)
	if c < 0 {
		return nil, nil, fmt.Errorf("expected one of the channels %v, got %q", names, name)
	}
	from, to := c*s.points, (c+1)*s.points
	return s.frame.Frames[0][from:to], s.history.Frames[len(s.history.Frames)-1][from:to], nil
}

// components returns the channels of a variable field.
func (s *state) components(field string) ([]string, error) {
	var names []string
	for _, f := range s.frame.Fields {
		if f.Constant {
			continue
		}
		names = append(names, f.Name)
		if f.Name == field {
			return f.ComponentsOf(s.frame.AxisNames()), nil
		}
	}
	return nil, fmt.Errorf("expected one of the fields %v, got %q", names, field)
}

// fluid reports whether a point is not solid.
func (s *state) fluid(p int) bool { return s.solid == nil || !s.solid[p] }

// perChannel returns a correction of every channel of the given fields. name is that of the
// correction, for errors.
func perChannel(name string, fields []string, f func(s *state, u, last []float32) error) walrus.Correction {
	fields = slices.Clone(fields)
	return func(_ int, history, frame *data.Window) error {
		s, err := newState(history, frame)
		if err == nil && len(fields) == 0 {
			err = fmt.Errorf("expected the names of fields, got none")
		}
		if err != nil {
			return fmt.Errorf("steer: %s: %w", name, err)
		}
		for _, field := range fields {
			channels, err := s.components(field)
			if err != nil {
				return fmt.Errorf("steer: %s: %w", name, err)
			}
			for _, c := range channels {
				u, last, err := s.channel(c)
				if err == nil {
					err = f(s, u, last)
				}
				if err != nil {
					return fmt.Errorf("steer: %s: channel %s: %w", name, c, err)
				}
			}
		}
		return nil
	}
}

// Positive replaces negative values of the given fields by 0.
func Positive(fields ...string) walrus.Correction {
	return perChannel("positive", fields, func(_ *state, u, _ []float32) error {
		for i, v := range u {
			if v < 0 {
				u[i] = 0
			}
		}
		return nil
	})
}
