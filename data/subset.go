package data

import (
	"context"
	"fmt"
	"math"
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

// Ratios are the shares of training, validation and test sets. They add up to 1.
type Ratios struct{ Train, Valid, Test float64 }

// Validate returns an error unless the shares are from 0 to 1 and add up to 1.
func (r Ratios) Validate() error {
	for _, v := range []float64{r.Train, r.Valid, r.Test} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("expected shares of 0 to 1, got %v, %v and %v", r.Train, r.Valid, r.Test)
		}
	}
	if sum := r.Train + r.Valid + r.Test; math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("expected shares that add up to 1, got %v", sum)
	}
	return nil
}

// SplitByRatios divides n trajectories at random into sets of the given shares, each
// sorted. The same seed gives the same sets. The sizes of the validation and test sets are
// rounded down, to at least one trajectory if their share is not 0, as long as a training
// set with a share keeps one.
func SplitByRatios(n int, r Ratios, seed uint64) (train, valid, test []int, err error) {
	if err := r.Validate(); err != nil {
		return nil, nil, nil, fmt.Errorf("data: split: %w", err)
	}
	if n < 0 || n > 1<<31 {
		return nil, nil, nil, fmt.Errorf("data: split: expected 0 to 2^31 trajectories, got %d", n)
	}
	order := rand.New(rand.NewPCG(seed, 0x73706c6974)).Perm(n)
	parts := 0
	for _, v := range []float64{r.Train, r.Valid, r.Test} {
		if v > 0 {
			parts++
		}
	}
	take := func(share float64) []int {
		if share == 0 {
			return nil
		}
		parts--
		k := max(int(share*float64(n)+1e-9), 1) // the small term makes 0.1 · 10 one
		if parts == 0 {
			k = len(order)
		}
		k = min(k, max(len(order)-parts, 0))
		out := order[:k:k]
		order = order[k:]
		slices.Sort(out)
		return out
	}
	test, valid = take(r.Test), take(r.Valid)
	return take(r.Train), valid, test, nil
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
