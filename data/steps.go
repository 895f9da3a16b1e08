package data

import (
	"context"
	"fmt"
)

// Steps returns a view of the frames from, from+stride, from+2·stride, … of every
// trajectory, below the frame to. 0 for to means all frames, 0 for stride means 1. A
// trajectory without such a frame is an error.
func Steps(ds Dataset, from, to, stride int) (Dataset, error) {
	if ds == nil {
		return nil, errNoDataset
	}
	if stride == 0 {
		stride = 1
	}
	if from < 0 || stride < 1 || stride > maxCut || to < 0 || (to > 0 && to <= from) {
		return nil, fmt.Errorf("data: steps of %s: expected frames from 0 on and before the last one, and a stride of at least 1, got %d to %d and %d", ds.Metadata().Name, from, to, stride)
	}
	if from == 0 && to == 0 && stride == 1 {
		return ds, nil
	}
	s := &steps{Dataset: ds, from: from, stride: stride}
	for i, t := range ds.Trajectories() {
		end := t.Steps
		if to > 0 {
			end = min(end, to)
		}
		if end <= from {
			return nil, fmt.Errorf("data: steps of %s: trajectory %d has %d frames: expected more than %d", ds.Metadata().Name, i, t.Steps, from)
		}
		t.Steps = (end-from-1)/stride + 1
		s.list = append(s.list, t)
	}
	return s, nil
}

type steps struct {
	Dataset
	from, stride int
	list         []Trajectory
}

func (s *steps) Trajectories() []Trajectory { return s.list }

func (s *steps) Read(ctx context.Context, span Span, into *Window) (*Window, error) {
	if err := checkSpan(s, span); err != nil {
		return nil, err
	}
	span.Start, span.Stride = s.from+span.Start*s.stride, span.Stride*s.stride
	return s.Dataset.Read(ctx, span, into)
}

// checkSpan returns an error unless a span lies within its trajectory.
func checkSpan(ds Dataset, span Span) error {
	list := ds.Trajectories()
	if span.Trajectory < 0 || span.Trajectory >= len(list) {
		return fmt.Errorf("data: data set %s: expected a trajectory below %d, got %d", ds.Metadata().Name, len(list), span.Trajectory)
	}
	n := list[span.Trajectory].Steps
	if span.Start < 0 || span.Stride < 1 || span.Frames < 1 || span.Start >= n || span.Frames-1 > (n-1-span.Start)/span.Stride {
		return fmt.Errorf("data: data set %s: trajectory %d has %d frames: cannot take %d from frame %d with stride %d",
			ds.Metadata().Name, span.Trajectory, n, span.Frames, span.Start, span.Stride)
	}
	return nil
}
