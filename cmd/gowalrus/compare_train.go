package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// budgetEpochs is the number of epochs into which a budget is divided, so that the learning rate
// warms up and cools down and the best checkpoint is chosen among several.
const budgetEpochs = 10

// errUnfinished is the error of a comparison whose training was interrupted.
var errUnfinished = errors.New("the training of the networks was interrupted: the same command resumes it")

// trained finetunes the networks on a data set, one after the other, and returns their
// checkpoints. All are trained on the same windows, with the longest history that one of them
// expects.
func (a *app) trained(ctx context.Context, entries []entry, path string, o compareOptions) ([]entry, error) {
	history := max(2, o.protocol.Input)
	if o.protocol.Input == 0 {
		for _, e := range entries {
			n, err := a.fitOne(ctx, e, path, o, 0)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			history = max(history, n)
		}
	}
	out := make([]entry, len(entries))
	for i, e := range entries {
		if _, err := a.fitOne(ctx, e, path, o, history); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		out[i] = entry{e.name, train.RunCheckpoint(o.dir(path, e))}
	}
	return out, nil
}

// dir returns the folder of the run of a network on a data set.
func (o compareOptions) dir(path string, e entry) string {
	return filepath.Join(o.out, filepath.Base(filepath.Clean(path)), e.name)
}

// fitOne finetunes a network on windows of the given history. If that is 0, it only returns the
// history that the network expects.
func (a *app) fitOne(ctx context.Context, e entry, path string, o compareOptions, history int) (int, error) {
	folder, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	r := recipe.Finetuning(e.weights, folder)
	r.Data[0].Drop = o.drop
	if r.SetEpochs(1); o.budget%budgetEpochs == 0 {
		r.SetEpochs(budgetEpochs)
	}
	r.Updates = o.budget / r.Epochs
	opened, err := r.Open()
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	b, err := backend.Pick(o.network.auto)
	if err != nil {
		return 0, err
	}
	s := &opened.Options.Systems[0]
	expected := s.Train.Metadata().History()
	if opened.Peer != "" {
		if _, err := opened.OpenPeer(b); err != nil {
			return 0, err
		}
		expected = s.Cut.Input
	}
	if history == 0 {
		return expected, nil
	}
	s.Cut.Input = history
	quiet := *a
	quiet.stdout = a.stderr // the tables go to stdout
	fmt.Fprintf(a.stderr, "%s on %s:\n", e.name, path)
	finished, err := quiet.fit(ctx, opened, b, o.dir(path, e))
	if err == nil && !finished {
		err = errUnfinished
	}
	return history, err
}
