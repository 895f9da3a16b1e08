// Command jitter repeats the measurement of the paper's Table 7 on a small scale: the
// effect of patch jitter, and of the rolls of tokens between blocks, on long rollouts.
// The same network is trained with both, with jitter alone and with neither, on six
// simulated systems with all three kinds of boundaries, and forecasts 60 steps of
// unseen runs.
//
//	GOEXPERIMENT=simd go run ./experiments/jitter -seeds 1,2,3 -out out/jitter
//
// Every seed has separate simulations and networks. Besides the VRMSE it measures the
// effect that jitter targets (paper §3.2): waves in the error that repeat with the
// patches of the encoder.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// history and steps are the numbers of frames that are given and forecast.
const (
	history = 6
	steps   = 60
)

// systems have periodic, open and walled axes.
var systems = []string{"acoustics", "euler_open", "euler_periodic", "gray_scott", "navier_stokes", "rayleigh_benard"}

// variant is a way to train and forecast.
type variant struct {
	name    string
	jitter  walrus.JitterMode
	noRolls bool
}

var variants = []variant{
	{"jitter and rolls", walrus.JitterFixed, false},
	{"jitter", walrus.JitterFixed, true},
	{"neither", walrus.JitterOff, true},
}

// horizons are scored from the longest to the shortest.
var horizons = []eval.Horizon{{From: 21, To: steps}, {From: 1, To: 20}, {From: 1, To: 1}}

func main() {
	var s experiment.Settings
	experiment.Main(&s, "jitter", 2400, 16, func(ctx context.Context, b compute.Backend) error { return run(ctx, b, s) })
}

// run runs the whole experiment.
func run(ctx context.Context, b compute.Backend, s experiment.Settings) error {
	var results []*result
	all := newImprints()
	for _, seed := range s.Seeds {
		r, err := one(ctx, b, s, seed)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		results = append(results, r)
		all.join(r.imprints)
	}
	show(os.Stdout, results, all)
	if err := experiment.WriteJSON(s.Out, map[string]any{"seeds": results, "imprint": all.Ratio(), "frequencies": all.frequencies(), "error_power": all.spectra()}); err != nil {
		return err
	}
	return picture.PNG(filepath.Join(s.Out, "spectrum.png"), all.chart())
}

// one runs the experiment with one seed.
func one(ctx context.Context, b compute.Backend, s experiment.Settings, seed uint64) (*result, error) {
	o := solve.Options{Out: filepath.Join(s.Out, fmt.Sprintf("data-%d-%d", s.Runs, seed)), Train: s.Runs, Test: 16, Grid: []int{32, 32}, Frames: history + steps, Seed: seed}
	sets, err := experiment.SimulateAll(ctx, systems, o)
	if err != nil {
		return nil, err
	}
	defer sets.Close()
	forecasters := map[string]eval.Forecast{}
	for _, v := range variants {
		em, err := training(s, sets, v, seed).Fit(ctx, b)
		if err != nil {
			return nil, err
		}
		defer em.Close()
		forecasters[v.name] = experiment.Remember(experiment.Survive(em))
	}
	return measure(ctx, sets, forecasters, seed)
}

// measure scores the forecasters on all systems.
func measure(ctx context.Context, sets experiment.Sets, forecasters map[string]eval.Forecast, seed uint64) (*result, error) {
	out := &result{Seed: seed, imprints: newImprints()}
	for _, set := range sets {
		r, err := eval.Evaluate(ctx, set.Unseen, forecasters, eval.Protocol{Input: history, Horizons: horizons, Windows: 16})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.Name, err)
		}
		r.Dataset = set.Name
		out.Systems = append(out.Systems, r)
		if err := out.imprints.add(ctx, set.Unseen, forecasters); err != nil {
			return nil, fmt.Errorf("%s: %w", set.Name, err)
		}
	}
	out.summarise()
	return out, nil
}

// training returns the training of one variant.
func training(s experiment.Settings, sets experiment.Sets, v variant, seed uint64) experiment.Training {
	r := experiment.Pretraining("jitter", sets, s.Updates, seed)
	r.Network["jitter"] = v.jitter
	return experiment.Training{Recipe: r, NoRolls: v.noRolls, Log: os.Stderr,
		Dir: filepath.Join(s.Out, fmt.Sprintf("run-%s-%d-%d-%d", v.name, s.Runs, s.Updates, seed))}
}
