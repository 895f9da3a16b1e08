package main

import (
	"context"
	"io"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// drawn is the number of steps of the forecasts in the pictures.
const drawn = 20

// write writes the report of all data sets.
func write(ctx context.Context, em *walrus.Emulator, results []*eval.Result, o options, stderr io.Writer) error {
	m := meter.New(stderr, "report", "data sets")
	defer m.Close()
	var entries []report.Entry
	for i, r := range results {
		m.SetInt(i, len(results))
		sample, err := forecast(ctx, em, o.data[i], o)
		if err != nil {
			return err
		}
		entries = append(entries, report.Entry{Result: r, Sample: sample})
	}
	return report.Write(o.report, "Forecasts of "+o.weights, []string{"model", "persistence", "linear"}, entries)
}

// forecast forecasts from the start of the first trajectory.
func forecast(ctx context.Context, em *walrus.Emulator, path string, o options) (*report.Sample, error) {
	ds, done, err := o.dataset(path)
	if err != nil {
		return nil, err
	}
	defer done()
	input := o.protocol.Input
	if input == 0 {
		input = ds.Metadata().History()
	}
	frames := min(ds.Trajectories()[0].Steps, input+drawn)
	if frames <= input {
		return nil, nil
	}
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: frames}, nil)
	if err != nil {
		return nil, err
	}
	history, err := w.Slice(0, input)
	if err != nil {
		return nil, err
	}
	truth, err := w.Slice(input, frames)
	if err != nil {
		return nil, err
	}
	predicted, err := em.Forecast(ctx, history, frames-input)
	if err != nil {
		return nil, err
	}
	return &report.Sample{Truth: truth, Forecast: predicted}, nil
}
