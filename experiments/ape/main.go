// Command ape repeats the measurement of the paper's Table 3 on a small scale: the
// effect of an absolute position embedding (APE), added when a network is finetuned, on
// long rollouts. A small network is trained on six simulated systems. It is then
// finetuned with and without APE on two systems: convection between a warm floor and a
// cold lid, which has fixed walls and forcing, and periodic compressible flow, which is
// the same everywhere.
//
//	GOEXPERIMENT=simd go run ./experiments/ape -seeds 1,2,3 -out out/ape
//
// All seeds share the simulations and the first network, which are made with the first
// seed; each seed has separate finetunings.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// history and steps are the numbers of frames that are given and forecast.
const (
	history = 6
	steps   = 60
)

// targets are the systems for finetuning, others the rest of the first training.
var (
	targets = []string{"rayleigh_benard", "euler_periodic"}
	others  = []string{"acoustics", "euler_open", "gray_scott", "navier_stokes"}
)

// Ways to finetune.
const (
	withAPE    = "APE"
	withoutAPE = "no APE"
)

// horizons are all steps, for the curves, and then, from the longest to the shortest,
// the horizons of Table 3 that the runs cover, and one step.
var horizons = []eval.Horizon{{From: 1, To: steps}, {From: 28, To: steps}, {From: 10, To: 27}, {From: 4, To: 9}, {From: 1, To: 3}, {From: 1, To: 1}}

// budget is the amount of simulation and training.
type budget struct {
	experiment.Settings
	// pretrain is the number of updates before finetuning, test the number of runs that
	// are forecast.
	pretrain, test int
}

func main() {
	e := budget{test: 16}
	flag.IntVar(&e.pretrain, "pretrain", 1800, "training updates before finetuning")
	experiment.Main(&e.Settings, "ape", 800, 16, func(ctx context.Context, b compute.Backend) error { return e.run(ctx, b) })
}

// run runs the whole experiment.
func (e budget) run(ctx context.Context, b compute.Backend) error {
	sets, err := e.simulate(ctx)
	if err != nil {
		return err
	}
	defer sets.Close()
	base := e.pretraining(sets)
	em, err := base.Fit(ctx, b)
	if err != nil {
		return err
	}
	em.Close()
	var results []*result
	for _, set := range sets.Named(targets...) {
		r, err := e.target(ctx, b, set, base.Checkpoint())
		if err != nil {
			return fmt.Errorf("%s: %w", set.Name, err)
		}
		results = append(results, r)
	}
	show(os.Stdout, results)
	if err := experiment.WriteJSON(e.Out, map[string]any{"systems": results}); err != nil {
		return err
	}
	return draw(filepath.Join(e.Out, "rollout.png"), results)
}

// simulate makes the data. Only the systems for finetuning get runs to forecast.
func (e budget) simulate(ctx context.Context) (experiment.Sets, error) {
	o := solve.Options{Out: filepath.Join(e.Out, fmt.Sprintf("data-%d-%d", e.Runs, e.Seeds[0])), Train: e.Runs, Test: 1, Grid: []int{32, 32}, Frames: 40, Seed: e.Seeds[0]}
	sets, err := experiment.SimulateAll(ctx, others, o)
	if err != nil {
		return nil, err
	}
	o.Test, o.Frames = e.test, history+steps
	more, err := experiment.SimulateAll(ctx, targets, o)
	if err != nil {
		sets.Close()
		return nil, err
	}
	return append(sets, more...), nil
}

// pretraining returns the training of the network before finetuning.
func (e budget) pretraining(sets experiment.Sets) experiment.Training {
	r := experiment.Pretraining("ape", sets, e.pretrain, e.Seeds[0])
	return experiment.Training{Recipe: r, Log: os.Stderr, Dir: filepath.Join(e.Out, fmt.Sprintf("pretrain-%d-%d", e.Runs, e.pretrain))}
}

// target finetunes on one system, both ways with every seed, and scores its unseen
// runs.
func (e budget) target(ctx context.Context, b compute.Backend, set *experiment.Set, weights string) (*result, error) {
	forecasters := eval.Baselines()
	for _, seed := range e.Seeds {
		for _, way := range []string{withAPE, withoutAPE} {
			em, err := e.finetune(ctx, b, set, weights, way, seed)
			if err != nil {
				return nil, err
			}
			defer em.Close()
			forecasters[name(way, seed)] = experiment.Remember(experiment.Survive(em))
		}
	}
	r, err := experiment.Score(ctx, set.Unseen, forecasters, history, horizons)
	if err != nil {
		return nil, err
	}
	return summarise(set.Name, r, e.Seeds), nil
}

// finetune finetunes the weights in one way.
func (e budget) finetune(ctx context.Context, b compute.Backend, set *experiment.Set, weights, way string, seed uint64) (*walrus.Emulator, error) {
	r := experiment.Finetuning(weights, set, e.Updates, seed)
	r.APE = way == withAPE
	return experiment.Training{Recipe: r, Log: os.Stderr,
		Dir: filepath.Join(e.Out, fmt.Sprintf("finetune-%s-%s-%d-%d-%d-%d", set.Name, way, e.Runs, e.pretrain, e.Updates, seed))}.Fit(ctx, b)
}

// name returns the name of the forecaster of one way and seed.
func name(way string, seed uint64) string { return fmt.Sprintf("%s, seed %d", way, seed) }
