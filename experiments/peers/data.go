package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
)

// hidden is the name of the simulated data whose fields move with a hidden speed.
const hidden = "advection"

// set is a data set without constant fields, which only Walrus takes.
type set struct {
	learn, unseen data.Dataset
	close         func()
}

// open opens a data set. It simulates the fields with a hidden speed once.
func (o options) open(ctx context.Context, name string, seed uint64) (*set, error) {
	if name == hidden {
		return o.simulate(ctx)
	}
	path := filepath.Join(o.folder, name)
	learn, err := well.Open(path, well.Options{Split: "train"})
	if err != nil {
		return nil, err
	}
	unseen, err := well.Open(path, well.Options{Split: o.split})
	if err != nil {
		learn.Close()
		return nil, err
	}
	s := &set{close: func() { learn.Close(); unseen.Close() }}
	var constant []string
	for _, f := range learn.Metadata().Fields {
		if f.Constant {
			constant = append(constant, f.Name)
		}
	}
	if s.learn, err = data.Drop(learn, constant...); err == nil {
		s.unseen, err = data.Drop(unseen, constant...)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// simulate makes the data of experiments/advection: speeds of 0.8 to 4 points per frame.
func (o options) simulate(ctx context.Context) (*set, error) {
	system, err := solve.Lookup(hidden)
	if err != nil {
		return nil, err
	}
	made, err := experiment.Simulate(ctx, solve.Options{System: system, Out: filepath.Join(o.Out, fmt.Sprintf("data-%d", o.Runs)),
		Train: o.Runs, Test: 16, Frames: 26, Interval: 0.5, Seed: 1})
	if err != nil {
		return nil, err
	}
	return &set{made.Learn, made.Unseen, made.Close}, nil
}
