package serve

import (
	"context"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// scene is the start of a forecast and the simulation that is compared with it.
type scene struct {
	window *data.Window
	// from is the origin of the history: given, repeated, solver.
	from string
	// shown says that the client receives the history.
	shown bool
	// truth is nil if there is none; interval is the time between frames, 0 if unknown.
	truth    *truth
	interval float64
}

// truth is a simulation that returns frame after frame.
type truth struct {
	run      solve.Run
	interval float64
	values   int
	fine     func([]float32) error
}

// pieces is the number of parts of an interval. Between parts a simulation checks
// whether it is still needed.
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

// frame returns the current frame.
func (t *truth) frame() ([]float32, error) {
	out := make([]float32, t.values)
	t.run.Frame(out)
	if err := t.fine(out); err != nil {
		return nil, err
	}
	return out, nil
}

// step is one forecast frame with the truth and its scores.
type step struct {
	walrus.Frame
	truth              []float32
	vrmse, persistence []float64
}

// compare adds the truth and the scores to a forecast frame. If the simulation fails,
// this and all later steps have no truth.
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
