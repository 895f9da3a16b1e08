package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// Set is the simulated data set of one system.
type Set struct {
	Name string
	// Dir is its folder.
	Dir string
	// Learn are the runs for training, Unseen the runs to forecast.
	Learn, Unseen *well.Dataset
}

// Simulate makes the data set of a system in the folder of its name under o.Out, or
// opens the one that an earlier call made there. The caller closes the result.
func Simulate(ctx context.Context, o solve.Options) (*Set, error) {
	s := &Set{Name: o.System.Name, Dir: filepath.Join(o.Out, o.System.Name)}
	if _, err := os.Stat(s.Dir); errors.Is(err, os.ErrNotExist) {
		if err := simulate(ctx, o, s.Dir); err != nil {
			return nil, fmt.Errorf("experiment: %w", err)
		}
	}
	var err error
	if s.Learn, err = well.Open(s.Dir, well.Options{Split: "train"}); err != nil {
		return nil, err
	}
	if s.Unseen, err = well.Open(s.Dir, well.Options{Split: "test"}); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// simulate moves the data set to dir when it is complete, so that a later call does not
// open an interrupted one.
func simulate(ctx context.Context, o solve.Options, dir string) error {
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return err
	}
	part, err := os.MkdirTemp(o.Out, "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	o.Out = part
	made, err := solve.Simulate(ctx, o)
	if err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// SimulateAll makes the data sets of several systems. The options apply to all;
// o.System is set from names. The caller closes the result.
func SimulateAll(ctx context.Context, names []string, o solve.Options) (Sets, error) {
	var out Sets
	for _, name := range names {
		system, err := solve.Lookup(name)
		if err != nil {
			out.Close()
			return nil, err
		}
		o.System = system
		s, err := Simulate(ctx, o)
		if err != nil {
			out.Close()
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Close closes the files.
func (s *Set) Close() {
	for _, ds := range []*well.Dataset{s.Learn, s.Unseen} {
		if ds != nil {
			ds.Close()
		}
	}
}

// Sets are data sets that are trained on together.
type Sets []*Set

// Close closes the files of all.
func (s Sets) Close() {
	for _, set := range s {
		set.Close()
	}
}

// Data returns the data sets as entries of a recipe.
func (s Sets) Data() []recipe.Data {
	var out []recipe.Data
	for _, set := range s {
		out = append(out, recipe.Data{Path: set.Dir})
	}
	return out
}

// Named returns the data sets of these names, in their order.
func (s Sets) Named(names ...string) Sets {
	var out Sets
	for _, name := range names {
		for _, set := range s {
			if set.Name == name {
				out = append(out, set)
			}
		}
	}
	return out
}
