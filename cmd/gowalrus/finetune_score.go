package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// scoredHorizons are the steps that finetune scores before and after the training.
var scoredHorizons = []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 10}}

// scoredSplit returns the split of a data set that shows what a training brought: valid,
// else test. It returns "" if there is neither.
func scoredSplit(path string) string {
	splits, err := well.Splits(path)
	if err != nil {
		return "" // files without splits
	}
	for _, split := range []string{"valid", "test"} {
		if slices.Contains(splits, split) {
			return split
		}
	}
	return ""
}

// score scores a network and the baselines on a few windows.
func (o finetuneOptions) score(ctx context.Context, a *app, f walrus.Forecaster, split, what string) (*eval.Result, error) {
	ds, done, err := openData(o.data, split, o.drop)
	if err != nil {
		return nil, err
	}
	defer done()
	forecasters := eval.Baselines()
	forecasters["model"] = eval.Model(f)
	m := meter.New(a.stderr, what, "frames")
	defer m.Close()
	return eval.Evaluate(ctx, ds, forecasters, eval.Protocol{Input: o.history, Horizons: scoredHorizons, Windows: o.windows, Progress: m.SetInt})
}

// printScores prints the scores before and after a training, and those of the baselines.
func (a *app) printScores(before, after *eval.Result, split string) {
	if before == nil || after == nil {
		return
	}
	fmt.Fprintf(a.stdout, "VRMSE on windows of %s (0 is perfect, 1 is as good as the mean of the truth):\n", split)
	fmt.Fprintf(a.stdout, "%8s %8s %8s %12s %8s\n", "steps", "before", "after", "persistence", "linear")
	for i, h := range after.Horizons {
		was := before.Horizons[i].Scores["model"].Median
		fmt.Fprintf(a.stdout, "%8v %8.3f %8.3f %12.3f %8.3f\n", h.Horizon, was, h.Scores["model"].Median, h.Scores["persistence"].Median, h.Scores["linear"].Median)
	}
}

// printNext prints the commands that use the weights of a run.
func (a *app) printNext(o finetuneOptions, weights, split string) {
	options := ""
	for _, name := range o.drop {
		options += " --drop " + name
	}
	if split == "" {
		split = "train"
	}
	fmt.Fprintf(a.stdout, "Forecast with the result:\n  gowalrus forecast --weights %s --data %s --split %s%s --out %s\n  gowalrus evaluate --weights %s --data %s --split %s%s --report %s\n",
		weights, o.data, split, options, filepath.Join(o.out, "forecast.nc"), weights, o.data, split, options, filepath.Join(o.out, "report"))
}
