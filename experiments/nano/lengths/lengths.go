// Package lengths scores rollouts on grids with any number of points: a periodic wave
// and a tracer, which have exact solutions, and the Euler systems of data/solve. Its
// scores show for which grids the weights forecast poorly.
package lengths

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// Steps is the number of frames that are forecast.
const Steps = 20

// Trial is a rollout to score.
type Trial struct {
	System string `json:"system"`
	Grid   []int  `json:"grid"`
	// Seed draws the initial state.
	Seed uint64 `json:"seed"`
}

// Score holds the mean VRMSE over the steps of a trial, for the forecast and for
// persistence.
type Score struct {
	Trial
	Model       float64 `json:"model"`
	Persistence float64 `json:"persistence"`
	// Ratio is Model over Persistence.
	Ratio float64 `json:"ratio"`
	// Lost says why the forecast ended before the last step, for example because it was
	// not finite. The other fields are then 0.
	Lost string `json:"lost,omitempty"`
}

// Systems lists the systems in 2D or 3D.
func Systems(dims int) []string {
	if dims == 3 {
		return []string{"wave", "tracer", "euler_3d"}
	}
	return []string{"wave", "tracer", "euler_periodic", "euler_open"}
}

// Grid returns a grid with n points along every axis but the first, which has aspect·n.
func Grid(dims, n, aspect int) []int {
	out := make([]int, dims)
	for i := range out {
		out[i] = n
	}
	out[0] *= aspect
	return out
}

// History returns the number of frames from which a forecast starts: 6, in 3D 3.
func (t Trial) History() int {
	if len(t.Grid) == 3 {
		return 3
	}
	return 6
}

// Window computes history and truth, History() + Steps frames.
func (t Trial) Window(ctx context.Context) (*data.Window, error) {
	rng := rand.New(rand.NewPCG(t.Seed, 0x6c656e67746873))
	frames := t.History() + Steps
	switch t.System {
	case "wave":
		return wave(t.Grid, frames, rng), nil
	case "tracer":
		return tracer(t.Grid, frames, rng), nil
	}
	return simulate(ctx, t.System, t.Grid, frames, rng)
}

// Score scores a forecast on the window of the trial.
func (t Trial) Score(ctx context.Context, w *data.Window, forecast eval.Forecast) (Score, error) {
	s := Score{Trial: t}
	fail := func(err error) (Score, error) {
		return s, fmt.Errorf("lengths: %s on %v: %w", t.System, t.Grid, err)
	}
	ds, err := data.NewMemory(t.System, []*data.Window{w})
	if err != nil {
		return fail(err)
	}
	guarded := func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		out, err := forecast(ctx, w, steps)
		if err != nil && ctx.Err() == nil {
			s.Lost = err.Error()
			return eval.Persistence(w.Frames, steps)
		}
		return out, err
	}
	r, err := eval.Evaluate(ctx, ds, map[string]eval.Forecast{"model": guarded, "persistence": eval.Baselines()["persistence"]},
		eval.Protocol{Input: t.History(), Horizons: []eval.Horizon{{From: 1, To: Steps}}, Windows: 1})
	if err != nil {
		return fail(err)
	}
	if s.Lost == "" {
		scores := r.Horizons[0].Scores
		s.Model, s.Persistence = scores["model"].Mean, scores["persistence"].Mean
		s.Ratio = s.Model / s.Persistence
	}
	return s, nil
}
