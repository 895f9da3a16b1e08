package experiment

import (
	"context"
	"iter"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// far is what takes the place of a forecast that is no number any more.
const far = 1e9

// Roller forecasts frame by frame, as an emulator does.
type Roller interface {
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error]
}

// Survive lets a forecast that diverges end in frames that are far off everything, so
// that it counts as what it is. It fails if there is no first step.
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

// Remember keeps forecasts, which are asked for once for each horizon: those of fewer
// steps from the same place are the beginning of a longer one.
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
