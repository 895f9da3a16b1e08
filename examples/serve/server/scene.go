package server

import (
	"context"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// scene is what a forecast starts from, and the simulation that goes on beside it.
type scene struct {
	window *data.Window
	// from says where the history comes from: given, repeated, solver.
	from string
	// shown says that the client gets to see the history.
	shown bool
	// truth is nil where there is none; interval is the time from frame to frame, 0 if
	// unknown.
	truth    *truth
	interval float64
}

// truth is a simulation that yields frame after frame.
type truth struct {
	run      solve.Run
	interval float64
	values   int
	fine     func([]float32) error
}

// pieces of an interval after which a simulation looks whether it is still wanted.
const pieces = 4

// next returns the next frame.
func (t *truth) next(ctx context.Context) (frame []float32, err error) {
	for range pieces {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := t.run.Advance(t.interval / pieces); err != nil {
			return nil, invalid("initial", "the solver lost the solution: %v", err)
		}
		if frame, err = t.frame(); err != nil {
			return nil, err
		}
	}
	return frame, nil
}

// frame returns the present frame.
func (t *truth) frame() ([]float32, error) {
	out := make([]float32, t.values)
	t.run.Frame(out)
	if err := t.fine(out); err != nil {
		return nil, err
	}
	return out, nil
}

// step is one forecast frame with what it is compared to.
type step struct {
	walrus.Frame
	truth              []float32
	vrmse, persistence []float64
}

// compare adds the truth to a forecast frame. A truth that is lost is left out from
// then on.
func (s *scene) compare(ctx context.Context, f walrus.Frame) step {
	out := step{Frame: f}
	if s.truth == nil {
		return out
	}
	frame, err := s.truth.next(ctx)
	if err != nil {
		s.truth = nil
		return out
	}
	points := s.window.Points()
	last := s.window.Frames[len(s.window.Frames)-1]
	for i := 0; i < len(frame); i += points {
		model, err := eval.VRMSE(f.Values[i:i+points], frame[i:i+points], eval.DefaultEps)
		same, err2 := eval.VRMSE(last[i:i+points], frame[i:i+points], eval.DefaultEps)
		if err != nil || err2 != nil {
			s.truth = nil
			return step{Frame: f}
		}
		out.vrmse, out.persistence = append(out.vrmse, model), append(out.persistence, same)
	}
	out.truth = frame
	return out
}
