package data

import (
	"context"
	"fmt"
	"slices"
)

// Memory is a data set of whole trajectories in memory, for example your own simulations or
// data of a test.
type Memory struct {
	meta  Metadata
	list  []Trajectory
	whole []*Window
}

// NewMemory returns a data set with one trajectory per window. All windows must be valid
// and have the fields and the grid of the first. The data set shares their arrays.
func NewMemory(name string, trajectories []*Window) (*Memory, error) {
	if len(trajectories) == 0 {
		return nil, fmt.Errorf("data: data set %s: expected at least one trajectory, got none", name)
	}
	if slices.Contains(trajectories, nil) {
		return nil, fmt.Errorf("data: data set %s: expected windows, got nil for one of %d trajectories", name, len(trajectories))
	}
	first := trajectories[0]
	m := &Memory{whole: trajectories, meta: Metadata{
		Name: name, GridType: CartesianGrid, Axes: first.AxisNames(), Grid: first.Grid, Fields: first.Fields,
	}}
	if first.Curvilinear {
		m.meta.GridType = "curvilinear"
	}
	for i, w := range trajectories {
		if err := w.Validate(); err != nil {
			return nil, fmt.Errorf("data: data set %s: trajectory %d: %w", name, i, err)
		}
		if !slices.Equal(w.Grid, first.Grid) || !slices.Equal(w.Fields, first.Fields) {
			return nil, fmt.Errorf("data: data set %s: trajectory %d: expected grid %v and fields %v, got %v and %v", name, i, first.Grid, first.Fields, w.Grid, w.Fields)
		}
		m.list = append(m.list, Trajectory{File: name, Index: i, Steps: len(w.Frames)})
	}
	return m, nil
}

// Metadata returns the description of the data set.
func (m *Memory) Metadata() Metadata { return m.meta }

// Trajectories returns one trajectory per window.
func (m *Memory) Trajectories() []Trajectory { return m.list }

// Read returns copies of the frames of a span.
func (m *Memory) Read(_ context.Context, span Span, into *Window) (*Window, error) {
	if span.Trajectory < 0 || span.Trajectory >= len(m.whole) {
		return nil, fmt.Errorf("data: data set %s: expected a trajectory below %d, got %d", m.meta.Name, len(m.whole), span.Trajectory)
	}
	w := m.whole[span.Trajectory]
	if span.Start < 0 || span.Stride < 1 || span.Frames < 1 || span.Start >= len(w.Frames) || span.Frames-1 > (len(w.Frames)-1-span.Start)/span.Stride {
		return nil, fmt.Errorf("data: data set %s: trajectory %d has %d frames: cannot take %d from frame %d with stride %d",
			m.meta.Name, span.Trajectory, len(w.Frames), span.Frames, span.Start, span.Stride)
	}
	if into == nil {
		into = new(Window)
	}
	frames := into.Frames
	*into = *w
	into.Frames, into.Times = nil, nil
	into.Constants = slices.Clone(w.Constants)
	into.Scalars = slices.Clone(w.Scalars)
	into.Boundaries = slices.Clone(w.Boundaries)
	into.Origin = Origin{Dataset: m.meta.Name, File: m.meta.Name, Trajectory: span.Trajectory, Start: span.Start, Stride: span.Stride}
	for i := range into.Scalars {
		if !into.Scalars[i].Constant {
			into.Scalars[i].Values = nil
		}
	}
	for k := range span.Frames {
		at := span.Start + k*span.Stride
		var old []float32
		if k < len(frames) {
			old = frames[k]
		}
		into.Frames = append(into.Frames, append(old[:0], w.Frames[at]...))
		if w.Times != nil {
			into.Times = append(into.Times, w.Times[at])
		}
		for i, s := range w.Scalars {
			if !s.Constant {
				into.Scalars[i].Values = append(into.Scalars[i].Values, s.Values[at])
			}
		}
	}
	return into, nil
}
