// Command augmentation repeats in small what the paper's Figures 8 and 9 measure: what
// it is good for that planes are shown to a network in training as thin volumes, turned
// at random in space. The same small network is trained on five simulated systems with
// and without that, and each of the two, and a fresh one, is then finetuned on few runs
// of systems that were seen in another position, and of systems that were not seen.
//
//	GOEXPERIMENT=simd go run ./examples/augmentation -seeds 1,2 -out out/augmentation
//
// Every seed has simulations and networks of its own.
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
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// steps is how far unseen runs are forecast.
const steps = 20

// horizons are scored from the longest to the shortest.
var horizons = []eval.Horizon{{From: 1, To: steps}, {From: 1, To: 1}}

// systems are those of the first training.
var systems = []string{"burgers", "gray_scott", "navier_stokes", "rayleigh_benard", "shallow_water"}

// start is what finetuning starts from.
type start struct {
	name  string
	fresh bool
	turns string // a word of package recipe
}

var starts = []start{
	{name: "scratch", fresh: true},
	{name: "naive", turns: "none"},
	{name: "augmented", turns: "rotations"},
}

// budget is what is done.
type budget struct {
	experiment.Settings
	// pretrain is the number of updates before finetuning; tune that of runs that are
	// finetuned on and test that of runs that are forecast.
	pretrain, tune, test int
}

// lengths are the numbers of updates of finetuning, each four times the one before.
func (e budget) lengths() []int { return []int{max(1, e.Updates/16), max(1, e.Updates/4), e.Updates} }

func main() {
	var e budget
	flag.IntVar(&e.pretrain, "pretrain", 1800, "training updates before finetuning")
	flag.IntVar(&e.tune, "tune", 4, "simulations of each system to finetune on")
	flag.IntVar(&e.test, "test", 16, "simulations of each system to forecast")
	experiment.Main(&e.Settings, "augmentation", 640, 16, func(ctx context.Context, b compute.Backend) error { return e.run(ctx, b) })
}

// run is the whole experiment.
func (e budget) run(ctx context.Context, b compute.Backend) error {
	var results []*result
	for _, seed := range e.Seeds {
		r, err := e.one(ctx, b, seed)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		results = append(results, r)
	}
	report(os.Stdout, results)
	if err := experiment.WriteJSON(e.Out, map[string]any{"seeds": results}); err != nil {
		return err
	}
	return draw(filepath.Join(e.Out, "finetuning.png"), results)
}

// one is the experiment with one seed.
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

// pretraining is that of a network to start from.
func (e budget) pretraining(sets experiment.Sets, s start, seed uint64) experiment.Training {
	r := experiment.Pretraining(s.name, sets, e.pretrain, seed)
	r.Network = network()
	for i := range r.Data {
		r.Data[i].Turns = s.turns
	}
	return experiment.Training{Recipe: r, Log: os.Stderr, Dir: e.path("pretrain", s.name, e.Runs, e.pretrain, seed)}
}

// network is that of the experiments with fewer tokens in space: a volume of 16 points
// along each axis becomes patches of 4 × 4 × 4.
func network() map[string]any {
	n := experiment.Network()
	n["tokens"] = []int{8, 8, 4}
	return n
}

// path is a folder of the experiment.
func (e budget) path(parts ...any) string {
	name := fmt.Sprint(parts[0])
	for _, p := range parts[1:] {
		name += fmt.Sprintf("-%v", p)
	}
	return filepath.Join(e.Out, name)
}
