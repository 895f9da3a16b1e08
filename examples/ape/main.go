// Command ape repeats in small what the paper's Table 3 measures: what an absolute
// position embedding (APE), added when a network is finetuned, does for long rollouts.
// A small network is trained on six simulated systems, and then finetuned on one with
// fixed walls and forcing, convection between a warm floor and a cold lid, and on one
// that is the same everywhere, periodic compressible flow, both with and without APE.
//
//	GOEXPERIMENT=simd go run ./examples/ape -seeds 1,2,3 -out out/ape
//
// All seeds share the simulations and the network to start from, which have the first
// one; each finetunes anew.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// history and steps are the frames that are given and forecast.
const (
	history = 6
	steps   = 60
)

// targets are finetuned on, others are in the first training alone.
var (
	targets = []string{"rayleigh_benard", "euler_periodic"}
	others  = []string{"acoustics", "euler_open", "gray_scott", "navier_stokes"}
)

// ways to finetune.
const (
	withAPE    = "APE"
	withoutAPE = "no APE"
)

// horizons are all steps, of which the curves are drawn, and then, from the longest to
// the shortest, those of Table 3 as far as the runs go and one step.
var horizons = []eval.Horizon{{From: 1, To: steps}, {From: 28, To: steps}, {From: 10, To: 27}, {From: 4, To: 9}, {From: 1, To: 3}, {From: 1, To: 1}}

// budget is what is done.
type budget struct {
	experiment.Settings
	// pretrain is the number of updates before finetuning, test that of the runs that
	// are forecast.
	pretrain, test int
}

func main() {
	e := budget{test: 16}
	flag.IntVar(&e.pretrain, "pretrain", 1800, "training updates before finetuning")
	experiment.Main(&e.Settings, "ape", 800, 16, func(ctx context.Context, b compute.Backend) error { return e.run(ctx, b) })
}

// run is the whole experiment.
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
	report(os.Stdout, results)
	if err := experiment.WriteJSON(e.Out, map[string]any{"systems": results}); err != nil {
		return err
	}
	return draw(filepath.Join(e.Out, "rollout.png"), results)
}

// simulate makes the data. Only what is finetuned on is forecast.
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

// pretraining is that of the network to start from.
func (e budget) pretraining(sets experiment.Sets) experiment.Training {
	r := experiment.Pretraining("ape", sets, e.pretrain, e.Seeds[0])
	return experiment.Training{Recipe: r, Log: os.Stderr, Dir: filepath.Join(e.Out, fmt.Sprintf("pretrain-%d-%d", e.Runs, e.pretrain))}
}

// target finetunes on one system, both ways with every seed, and scores its unseen runs.
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

// finetune trains the weights further in one way.
func (e budget) finetune(ctx context.Context, b compute.Backend, set *experiment.Set, weights, way string, seed uint64) (*walrus.Emulator, error) {
	r := experiment.Finetuning(weights, set, e.Updates, seed)
	r.APE = way == withAPE
	return experiment.Training{Recipe: r, Log: os.Stderr,
		Dir: filepath.Join(e.Out, fmt.Sprintf("finetune-%s-%s-%d-%d-%d-%d", set.Name, way, e.Runs, e.pretrain, e.Updates, seed))}.Fit(ctx, b)
}

// name is that of the forecaster of one way and seed.
func name(way string, seed uint64) string { return fmt.Sprintf("%s, seed %d", way, seed) }
