package eval

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
)

// EvaluateWindow forecasts one window: its first input frames are the history, the others
// the truth. It returns the result of [Evaluate] with one horizon over all steps, whose
// Curves hold the VRMSE of every step, and the forecast of each forecaster.
func EvaluateWindow(ctx context.Context, w *data.Window, forecasters map[string]Forecast, input int) (*Result, map[string][][]float32, error) {
	if err := w.Validate(); err != nil {
		return nil, nil, fmt.Errorf("eval: %w", err)
	}
	steps := len(w.Frames) - input
	if input < 2 || steps < 1 {
		return nil, nil, fmt.Errorf("eval: window %s: expected at least two frames of history and one of truth, got %d of %d frames", w.Name, input, len(w.Frames))
	}
	ds, err := data.NewMemory(w.Name, []*data.Window{w})
	if err != nil {
		return nil, nil, err
	}
	frames := map[string][][]float32{}
	recorders := map[string]Forecast{}
	for name, f := range forecasters {
		if f == nil {
			return nil, nil, errors.New("eval: forecaster " + name + ": expected a function, got nil")
		}
		recorders[name] = func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
			out, err := f(ctx, w, steps)
			frames[name] = out
			return out, err
		}
	}
	r, err := Evaluate(ctx, ds, recorders, Protocol{Input: input, Horizons: []Horizon{{From: 1, To: steps}}, Windows: 1})
	return r, frames, err
}
