package serve

import (
	"context"
	"iter"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// job is a checked request for a forecast.
type job struct {
	// layout has the fields, the grid and the boundaries, but no frames.
	layout           *data.Window
	steps, downscale int
	members          int // of an ensemble, 0 for a single forecast
	// ready is the scene if it needs no computation. Otherwise prepare makes it and
	// calls yield between its parts, so that other forecasts get turns.
	ready   *scene
	prepare func(ctx context.Context, yield func() error) (*scene, error)
}

// run runs a job turn by turn and writes its answer.
func (s *Server) run(ctx context.Context, t *ticket, j *job, out sink) error {
	begin := time.Now()
	sc, err := s.setUp(ctx, t, j)
	if err != nil {
		return err
	}
	forecaster := s.model.Load().Forecaster
	scale := newScaler(sc.window.Grid, j.downscale)
	if err := sc.announce(out, j, scale, advise(forecaster, sc.window)); err != nil {
		return err
	}
	turn, err := s.turn(ctx, t)
	if err != nil {
		return err
	}
	defer func() { turn.end() }()
	for f, err := range j.forecast(ctx, forecaster, sc.window) {
		if err != nil {
			return err
		}
		done := sc.compare(ctx, f)
		s.metrics.observe(turn.end())
		if err := out.send(done.record(scale, time.Since(begin))); err != nil {
			return err
		}
		if f.Step == j.steps {
			break
		}
		next, err := s.turn(ctx, t)
		if err != nil {
			return err
		}
		turn = next
	}
	return out.send(record{kind: "end", meta: map[string]any{"steps": j.steps, "seconds": time.Since(begin).Seconds()}})
}

// ensembler is a walrus.Forecaster that forecasts ensembles, as walrus.Emulator does.
type ensembler interface {
	Ensemble(ctx context.Context, w *data.Window, steps int, o walrus.EnsembleOptions) iter.Seq2[walrus.EnsembleFrame, error]
}

const (
	// memberLevel is the level of the interval of an ensemble: the part of its members.
	memberLevel = 0.9
	// memberNoise is the size of the perturbation of the initial frames of a member, in
	// standard deviations of each field.
	memberNoise = 0.02
)

// forecast returns the frames of a single forecast, or the means of an ensemble with the
// quantiles of its members as intervals.
func (j *job) forecast(ctx context.Context, f walrus.Forecaster, w *data.Window) iter.Seq2[walrus.Frame, error] {
	e, ok := f.(ensembler)
	if j.members == 0 || !ok {
		return f.Rollout(ctx, w, j.steps)
	}
	o := walrus.EnsembleOptions{Members: j.members, Perturbation: perturb.Shaped(memberNoise), Quantiles: []float64{(1 - memberLevel) / 2, (1 + memberLevel) / 2}}
	return func(yield func(walrus.Frame, error) bool) {
		for x, err := range e.Ensemble(ctx, w, j.steps, o) {
			if err != nil {
				yield(walrus.Frame{}, err)
				return
			}
			if !yield(walrus.Frame{Step: x.Step, Values: x.Mean, Interval: &walrus.Interval{Level: memberLevel, Lower: x.Quantiles[0], Upper: x.Quantiles[1]}}, nil) {
				return
			}
		}
	}
}

// turn waits for a worker.
func (s *Server) turn(ctx context.Context, t *ticket) (*turn, error) {
	begin := time.Now()
	turn, err := t.turn(ctx)
	if err == nil {
		s.metrics.turnTime.Observe(time.Since(begin).Seconds())
	}
	return turn, err
}

// setUp makes the scene, on a worker if it needs computation.
func (s *Server) setUp(ctx context.Context, t *ticket, j *job) (*scene, error) {
	if j.ready != nil {
		return j.ready, nil
	}
	turn, err := s.turn(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { turn.end() }()
	return j.prepare(ctx, func() (err error) {
		turn.end()
		next, err := s.turn(ctx, t)
		if err == nil {
			turn = next
		}
		return err
	})
}

// adviser is a walrus.Forecaster that knows the data its weights were trained on, as
// walrus.Emulator does.
type adviser interface {
	Advice(w *data.Window) ([]walrus.Advice, error)
}

// advise returns the advice of a forecaster on a window, if it gives any. It ignores
// errors, which the rollout reports.
func advise(f walrus.Forecaster, w *data.Window) []walrus.Advice {
	a, ok := f.(adviser)
	if !ok {
		return nil
	}
	list, err := a.Advice(w)
	if err != nil {
		return nil
	}
	return list
}

// announce sends the first records.
func (sc *scene) announce(out sink, j *job, scale scaler, advice []walrus.Advice) error {
	w := sc.window
	meta := map[string]any{
		"channels": w.Channels(false), "grid": scale.grid, "boundaries": texts(w.Boundaries), "steps": j.steps,
		"history_from": sc.from, "truth": sc.truth != nil,
	}
	if sc.interval > 0 {
		meta["interval"] = sc.interval
	}
	if j.members > 0 {
		meta["members"] = j.members
	}
	if len(advice) > 0 {
		meta["advice"] = advice
	}
	if err := out.send(record{kind: "start", meta: meta}); err != nil || !sc.shown {
		return err
	}
	for i, f := range w.Frames {
		r := record{kind: "history", meta: map[string]any{"step": i + 1 - len(w.Frames)}, arrays: []array{{"values", scale.apply(f)}}}
		if err := out.send(r); err != nil {
			return err
		}
	}
	return nil
}

// record converts a step to a record of the answer.
func (s step) record(scale scaler, elapsed time.Duration) record {
	r := record{kind: "frame", meta: map[string]any{"step": s.Step, "seconds": elapsed.Seconds()}, arrays: []array{{"forecast", scale.apply(s.Values)}}}
	if i := s.Interval; i != nil {
		r.meta["level"] = i.Level
		r.arrays = append(r.arrays, array{"lower", scale.apply(i.Lower)}, array{"upper", scale.apply(i.Upper)})
	}
	if s.truth != nil {
		r.meta["vrmse"], r.meta["persistence"] = s.vrmse, s.persistence
		r.arrays = append(r.arrays, array{"truth", scale.apply(s.truth)})
	}
	return r
}
