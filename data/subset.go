package data

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// SplitTrajectories divides n trajectories at random into training, validation and test
// sets of 80, 10 and 10 percent, each sorted. The same seed gives the same sets. The sizes
// of the validation and test sets are rounded down, to at least one trajectory if n is 3 or
// more; a smaller n leaves all trajectories for training. The sets are empty if n is
// negative or above 2^31.
func SplitTrajectories(n int, seed uint64) (train, valid, test []int) {
	if n < 0 || n > 1<<31 {
		return nil, nil, nil
	}
	order := rand.New(rand.NewPCG(seed, 0x73706c6974)).Perm(n)
	part := 0
	if n >= 3 {
		part = max(n/10, 1)
	}
	test, valid, train = order[:part], order[part:2*part], order[2*part:]
	slices.Sort(train)
	slices.Sort(valid)
	slices.Sort(test)
	return train, valid, test
}

// SplitFiles divides the trajectories of a data set as SplitTrajectories does, but keeps
// the trajectories of a file together. Use it if the trajectories of a file are similar
// enough to leak information from one set into another. Without a data set the sets are
// empty.
func SplitFiles(ds Dataset, seed uint64) (train, valid, test []int) {
	if ds == nil {
		return nil, nil, nil
	}
	var files []string
	for _, t := range ds.Trajectories() {
		if !slices.Contains(files, t.File) {
			files = append(files, t.File)
		}
	}
	collect := func(numbers []int) (out []int) {
		for i, t := range ds.Trajectories() {
			if slices.Contains(numbers, slices.Index(files, t.File)) {
				out = append(out, i)
			}
		}
		return out
	}
	a, b, c := SplitTrajectories(len(files), seed)
	return collect(a), collect(b), collect(c)
}

// Subset returns a view of the given trajectories of ds, numbered in the given order.
func Subset(ds Dataset, trajectories []int) (Dataset, error) {
	if ds == nil {
		return nil, errNoDataset
	}
	all := ds.Trajectories()
	s := &subset{Dataset: ds, numbers: slices.Clone(trajectories)}
	for _, i := range trajectories {
		if i < 0 || i >= len(all) {
			return nil, fmt.Errorf("data: subset of %s: expected trajectories below %d, got %d", ds.Metadata().Name, len(all), i)
		}
		s.list = append(s.list, all[i])
	}
	return s, nil
}

type subset struct {
	Dataset
	numbers []int
	list    []Trajectory
}

func (s *subset) Trajectories() []Trajectory { return s.list }

func (s *subset) Read(ctx context.Context, span Span, into *Window) (*Window, error) {
	if span.Trajectory < 0 || span.Trajectory >= len(s.numbers) {
		return nil, fmt.Errorf("data: subset of %s: expected a trajectory below %d, got %d", s.Metadata().Name, len(s.numbers), span.Trajectory)
	}
	span.Trajectory = s.numbers[span.Trajectory]
	return s.Dataset.Read(ctx, span, into)
}
