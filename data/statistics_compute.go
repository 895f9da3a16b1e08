package data

import (
	"context"
	"fmt"
)

// ComputeStatistics computes the statistics of any data set, for example one in memory, over
// all trajectories, frames and points: per component, in float64, with biased variances, and
// with differences between successive frames. Constant fields have no differences. It keeps
// one trajectory in memory. Package data/well computes those of its files in parallel.
func ComputeStatistics(ctx context.Context, ds Dataset) (*Statistics, error) {
	if ds == nil {
		return nil, errNoDataset
	}
	m := ds.Metadata()
	var frames, deltas, constants []Moments
	w := new(Window)
	for i, t := range ds.Trajectories() {
		err := ctx.Err()
		if err != nil {
			return nil, err
		}
		if w, err = ds.Read(ctx, Span{Trajectory: i, Stride: 1, Frames: t.Steps}, w); err != nil {
			return nil, fmt.Errorf("data: statistics of %s: %w", m.Name, err)
		}
		if frames == nil {
			frames, deltas = make([]Moments, len(w.Channels(false))), make([]Moments, len(w.Channels(false)))
			constants = make([]Moments, len(w.Channels(true)))
		}
		var before []float32
		for _, frame := range w.Frames {
			addMoments(frames, frame, nil)
			if before != nil {
				addMoments(deltas, frame, before)
			}
			before = frame
		}
		addMoments(constants, w.Constants, nil)
	}
	if frames == nil {
		return nil, fmt.Errorf("data: statistics of %s: expected trajectories, got none", m.Name)
	}
	return StatisticsOf(m.Fields, len(m.Grid), frames, deltas, constants)
}

// addMoments adds the moments of every channel of now, less before unless it is nil.
func addMoments(all []Moments, now, before []float32) {
	if len(all) == 0 {
		return
	}
	points := len(now) / len(all)
	values := make([]float64, points)
	for c := range all {
		for p := range values {
			values[p] = float64(now[c*points+p])
			if before != nil {
				values[p] -= float64(before[c*points+p])
			}
		}
		all[c].Add(MomentsOf(values))
	}
}

// StatisticsOf returns the statistics of fields on a grid with dims axes, given the moments
// of every variable channel, of its differences between frames, and of every constant one.
func StatisticsOf(fields []Field, dims int, frames, deltas, constants []Moments) (*Statistics, error) {
	s := &Statistics{
		Mean: map[string][]float64{}, Std: map[string][]float64{}, RMS: map[string][]float64{},
		MeanDelta: map[string][]float64{}, StdDelta: map[string][]float64{}, RMSDelta: map[string][]float64{},
	}
	at := map[bool]int{}
	for _, f := range fields {
		own := frames
		if f.Constant {
			own = constants
		}
		first := at[f.Constant]
		end := first + f.ComponentCount(dims)
		if end > len(own) || !f.Constant && end > len(deltas) {
			return nil, fmt.Errorf("data: statistics: field %s: expected moments of %d channels, got %d and, of differences, %d", f.Name, end, len(own), len(deltas))
		}
		for c := first; c < end; c++ {
			s.Mean[f.Name] = append(s.Mean[f.Name], own[c].Mean)
			s.Std[f.Name] = append(s.Std[f.Name], own[c].Std())
			s.RMS[f.Name] = append(s.RMS[f.Name], own[c].RMS())
			if !f.Constant {
				s.MeanDelta[f.Name] = append(s.MeanDelta[f.Name], deltas[c].Mean)
				s.StdDelta[f.Name] = append(s.StdDelta[f.Name], deltas[c].Std())
				s.RMSDelta[f.Name] = append(s.RMSDelta[f.Name], deltas[c].RMS())
			}
		}
		at[f.Constant] = end
	}
	return s, nil
}
