package report

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// NewSample forecasts the first trajectory of a data set from its first frames and returns
// the forecast with its truth, for the pictures of a report. input is the number of frames
// that the forecaster sees; 0 means [data.Metadata.History]. It forecasts the given number
// of steps, or as many as the trajectory has. It returns nil if the trajectory has none.
func NewSample(ctx context.Context, ds data.Dataset, forecast eval.Forecast, input, steps int) (*Sample, error) {
	if ds == nil || forecast == nil || len(ds.Trajectories()) == 0 || input < 0 || steps < 1 {
		return nil, errors.New("report: sample: expected a data set with a trajectory, a forecaster, a history and at least one step")
	}
	if input == 0 {
		input = ds.Metadata().History()
	}
	steps = min(steps, ds.Trajectories()[0].Steps-input)
	if steps < 1 {
		return nil, nil
	}
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: input + steps}, nil)
	if err != nil {
		return nil, err
	}
	history, err := w.Slice(0, input)
	if err != nil {
		return nil, err
	}
	truth, err := w.Slice(input, input+steps)
	if err != nil {
		return nil, err
	}
	frames, err := forecast(ctx, history, steps)
	if err != nil {
		return nil, fmt.Errorf("report: sample: %w", err)
	}
	return &Sample{Truth: truth, Forecast: frames}, nil
}
