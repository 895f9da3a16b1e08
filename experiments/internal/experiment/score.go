package experiment

import (
	"context"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// Score forecasts every run of a data set once from its first frames and scores all
// horizons of these forecasts. If the longest horizon is first, forecasters wrapped by
// [Remember] forecast only once.
func Score(ctx context.Context, ds data.Dataset, forecasters map[string]eval.Forecast, input int, horizons []eval.Horizon) (*eval.Result, error) {
	out := &eval.Result{Dataset: ds.Metadata().Name}
	for _, h := range horizons {
		p := eval.Protocol{Input: input, Horizons: []eval.Horizon{h}, Windows: len(ds.Trajectories())}
		r, err := eval.Evaluate(ctx, head{ds, input + h.To}, forecasters, p)
		if err != nil {
			return nil, err
		}
		if found := r.Horizons[0]; found.To != h.To || found.Windows != p.Windows {
			return nil, fmt.Errorf("experiment: data set %s: expected %d runs of %d frames, got %d of %d", out.Dataset, p.Windows, input+h.To, found.Windows, input+found.To)
		}
		out.Horizons, out.Constant = append(out.Horizons, r.Horizons[0]), r.Constant
	}
	return out, nil
}

// head is the start of every run of a data set.
type head struct {
	data.Dataset
	frames int
}

func (h head) Trajectories() []data.Trajectory {
	var out []data.Trajectory
	for _, t := range h.Dataset.Trajectories() {
		t.Steps = min(t.Steps, h.frames)
		out = append(out, t)
	}
	return out
}
