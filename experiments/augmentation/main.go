// Command augmentation repeats the measurement of the paper's Figures 8 and 9 on a
// small scale: the gain from showing 2D data to a network in training as thin 3D
// volumes, rotated at random. The same small network is trained on five simulated
// systems with and without this augmentation. Each of the two, and a fresh network, is
// then finetuned on few runs of systems that were seen in another orientation, and of a
// system that was not seen.
//
//	GOEXPERIMENT=simd go run ./experiments/augmentation -seeds 1,2 -out out/augmentation
//
// Every seed has separate simulations and networks.
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
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// steps is the number of steps that unseen runs are forecast.
const steps = 20

// horizons are scored from the longest to the shortest.
var horizons = []eval.Horizon{{From: 1, To: steps}, {From: 1, To: 1}}

// systems are the systems of the first training.
var systems = []string{"burgers", "gray_scott", "navier_stokes", "rayleigh_benard", "shallow_water"}

// start is a network from which finetuning starts.
type start struct {
	name      string
	fresh     bool
	rotations string // a word of package recipe
}

var starts = []start{
	{name: "scratch", fresh: true},
	{name: "naive", rotations: "none"},
	{name: "augmented", rotations: "cube"},
}

// budget is the amount of simulation and training.
type budget struct {
	experiment.Settings
	// pretrain is the number of updates before finetuning. tune is the number of runs
	// to finetune on, test the number of runs to forecast.
	pretrain, tune, test int
}

// lengths returns the numbers of finetuning updates, each four times the one before.
func (e budget) lengths() []int { return []int{max(1, e.Updates/16), max(1, e.Updates/4), e.Updates} }

func main() {
	var e budget
	flag.IntVar(&e.pretrain, "pretrain", 1800, "training updates before finetuning")
	flag.IntVar(&e.tune, "tune", 4, "simulations of each system to finetune on")
	flag.IntVar(&e.test, "test", 16, "simulations of each system to forecast")
	experiment.Main(&e.Settings, "augmentation", 640, 16, func(ctx context.Context, b compute.Backend) error { return e.run(ctx, b) })
}

// run runs the whole experiment.
func (e budget) run(ctx context.Context, b compute.Backend) error {
	var results []*result
	for _, seed := range e.Seeds {
		r, err := e.one(ctx, b, seed)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		results = append(results, r)
	}
	show(os.Stdout, results)
	if err := experiment.WriteJSON(e.Out, map[string]any{"seeds": results}); err != nil {
		return err
	}
	return draw(filepath.Join(e.Out, "finetuning.png"), results)
}

// one runs the experiment with one seed.
func (e budget) one(ctx context.Context, b compute.Backend, seed uint64) (*result, error) {
	sets, err := experiment.SimulateAll(ctx, systems, solve.Options{Out: e.path("data", e.Runs, seed), Train: e.Runs, Test: e.test,
		Grid: []int{32, 32}, Frames: 6 + steps, Seed: seed})
	if err != nil {
		return nil, err
	}
	defer sets.Close()
	weights := map[string]string{}
	out := &result{Seed: seed}
	for _, s := range starts {
		if s.fresh {
			continue
		}
		t := e.pretraining(sets, s, seed)
		em, err := t.Fit(ctx, b)
		if err != nil {
			return nil, err
		}
		weights[s.name] = t.Checkpoint()
		err = out.addPretrained(ctx, sets, s, em)
		em.Close()
		if err != nil {
			return nil, err
		}
	}
	for _, t := range tasks {
		r, err := e.finetuneAll(ctx, b, t, weights, seed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		out.Tasks = append(out.Tasks, r)
	}
	return out, nil
}

// pretraining returns the training of a network before finetuning.
func (e budget) pretraining(sets experiment.Sets, s start, seed uint64) experiment.Training {
	r := experiment.Pretraining(s.name, sets, e.pretrain, seed)
	r.Network = network()
	for i := range r.Data {
		r.Data[i].Rotations = s.rotations
	}
	return experiment.Training{Recipe: r, Log: os.Stderr, Dir: e.path("pretrain", s.name, e.Runs, e.pretrain, seed)}
}

// network returns the network of the experiments with fewer tokens in 3D: a volume of
// 16 points along each axis has patches of 4 × 4 × 4 points.
func network() map[string]any {
	n := experiment.Network()
	n["tokens"] = []int{8, 8, 4}
	return n
}

// path returns the path of a folder of the experiment.
func (e budget) path(parts ...any) string {
	name := fmt.Sprint(parts[0])
	for _, p := range parts[1:] {
		name += fmt.Sprintf("-%v", p)
	}
	return filepath.Join(e.Out, name)
}
