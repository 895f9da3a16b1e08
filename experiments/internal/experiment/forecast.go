package experiment

import (
	"context"
	"iter"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// far is the value of forecasts that are no longer finite.
const far = 1e9

// Roller forecasts frame by frame, as an emulator does.
type Roller interface {
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error]
}

// Survive returns a forecaster that continues a diverged forecast with frames of
// far-off values, so that its error counts. It returns an error if the first step
// fails.
func Survive(r Roller) eval.Forecast {
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		var out [][]float32
		for frame, err := range r.Rollout(ctx, w, steps) {
			if err != nil && (len(out) == 0 || ctx.Err() != nil) {
				return nil, err
			}
			if err != nil {
				break
			}
			out = append(out, frame.Values)
			eval.Step(ctx)
		}
		for len(out) > 0 && len(out) < steps {
			off := make([]float32, len(out[0]))
			for i := range off {
				off[i] = far * float32(1-2*(i%2))
			}
			out = append(out, off)
		}
		return out, ctx.Err()
	}
}

// Remember returns a forecaster that keeps forecasts, because each horizon requests
// them again. A shorter forecast from the same window is the start of a longer one.
func Remember(f eval.Forecast) eval.Forecast {
	known := map[data.Origin][][]float32{}
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		if frames := known[w.Origin]; len(frames) >= steps {
			return frames[:steps], nil
		}
		frames, err := f(ctx, w, steps)
		if err == nil {
			known[w.Origin] = frames
		}
		return frames, err
	}
}
