package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
)

// sampleName is the value of --data for the data that come with the program.
const sampleName = "sample"

// forecastSource are the flags that say from which frames a forecast starts.
type forecastSource struct {
	data, split               string
	trajectory, start, stride int
	history                   int
	drop                      []string
	window                    string
	fields, boundary          string
	// first says that start was given.
	first bool
	// gridType is the coordinate system of the data set, once it was opened.
	gridType string
}

// add adds the flags.
func (s *forecastSource) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.data, "data", sampleName, "`folder`, file or address (hf://datasets/OWNER/NAME, https://...) of a data set, or "+sampleName+" for the sound waves that come with the program")
	f.StringVar(&s.split, "split", "test", "with --data: `split` of the data set: train, valid or test")
	f.IntVar(&s.trajectory, "trajectory", 0, "with --data: number of the trajectory, from 0")
	f.IntVar(&s.stride, "stride", 1, "with --data: distance of two frames")
	f.StringVar(&s.window, "window", "", "NPZ or NPY `file` of frames to start from")
	f.StringVar(&s.fields, "fields", "", "with --window: `fields` of the channels, such as pressure,velocity:vector,mask:constant")
	f.StringVar(&s.boundary, "boundary", "", "with --window: `boundaries` per axis: periodic, wall, open, or wall/open for low/high, such as periodic,wall")
	f.IntVar(&s.start, "start", 0, "first frame of the history (with --window: that for which the history is at the end)")
	f.IntVar(&s.history, "history", 0, "frames of history (if 0: those that the network expects, for Walrus 6, in 3D 3; with --window all)")
	f.StringSliceVar(&s.drop, "drop", nil, dropUsage)
	complete(c, "data", []string{sampleName})
	complete(c, "split", []string{"train", "valid", "test"})
}

// check returns an error for flags that do not fit together.
func (s *forecastSource) check(given func(flag string) bool) error {
	s.first = given("start")
	alien, why := []string{"fields", "boundary"}, "goes with --window, a data set says it"
	if s.window != "" {
		alien, why = []string{"data", "split", "trajectory", "stride"}, "does not go with --window"
	}
	for _, flag := range alien {
		if given(flag) {
			return command.Usage("--%s %s", flag, why)
		}
	}
	if s.trajectory < 0 || s.start < 0 || s.stride < 1 || s.history < 0 {
		return command.Usage("expected --trajectory, --start and --history of 0 or more and --stride of 1 or more, got %d, %d, %d and %d",
			s.trajectory, s.start, s.history, s.stride)
	}
	return nil
}

// open returns a window whose first frames, as many as history, are the start of the
// forecast. Up to steps frames of truth follow.
func (s *forecastSource) open(ctx context.Context, f walrus.Forecaster, steps int) (w *data.Window, history int, err error) {
	if s.window == "" {
		return s.fromData(ctx, f, steps)
	}
	var o npz.Options
	if s.fields != "" {
		if o.Fields, err = data.ParseFields(s.fields); err != nil {
			return nil, 0, command.Usage("--fields: %w", err)
		}
	}
	if o.Boundaries, err = data.ParseBoundaries(s.boundary); err != nil {
		return nil, 0, command.Usage("--boundary: %w", err)
	}
	if w, err = npz.Read(s.window, o); err != nil {
		return nil, 0, err
	}
	if w, err = w.Drop(s.drop...); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", s.window, err)
	}
	start, history := s.start, s.history
	if history == 0 {
		history = len(w.Frames) - start
	} else if !s.first {
		start = len(w.Frames) - history
	}
	if start < 0 || history < 1 || start+history > len(w.Frames) {
		return nil, 0, fmt.Errorf("%s: expected %d frames of history from frame %d on, got %d frames in all", s.window, max(history, 1), max(start, 0), len(w.Frames))
	}
	w, err = w.Slice(start, min(start+history+steps, len(w.Frames)))
	return w, history, err
}

// fromData reads the window from a data set.
func (s *forecastSource) fromData(ctx context.Context, f walrus.Forecaster, steps int) (*data.Window, int, error) {
	ds, done, err := s.dataset()
	if err != nil {
		return nil, 0, err
	}
	defer done()
	s.gridType = ds.Metadata().GridType
	all := ds.Trajectories()
	if s.trajectory >= len(all) {
		return nil, 0, command.Usage("--trajectory: the data set has the trajectories 0 to %d, got %d", len(all)-1, s.trajectory)
	}
	history := s.history
	if history == 0 {
		history = f.History(len(ds.Metadata().Grid))
	}
	frames := (all[s.trajectory].Steps - s.start + s.stride - 1) / s.stride
	if frames < history {
		return nil, 0, command.Usage("trajectory %d has %d frames: expected %d of history from frame %d on with stride %d",
			s.trajectory, all[s.trajectory].Steps, history, s.start, s.stride)
	}
	w, err := ds.Read(ctx, data.Span{Trajectory: s.trajectory, Start: s.start, Stride: s.stride, Frames: min(frames, history+steps)}, nil)
	if err != nil {
		return nil, 0, err
	}
	if w.Name == "" {
		w.Name = ds.Metadata().Name
	}
	return w, history, nil
}

// dataset opens the data set without the fields to drop. The function closes it.
func (s *forecastSource) dataset() (data.Dataset, func() error, error) {
	if s.data != sampleName {
		return openData(s.data, s.split, s.drop)
	}
	set, err := sample.Load()
	if err != nil {
		return nil, nil, err
	}
	ds, err := set.Dataset(s.split)
	if err != nil {
		return nil, nil, command.Usage("--split: %w", err)
	}
	left, err := data.Drop(ds, s.drop...)
	return left, func() error { return nil }, err
}
