package main

import (
	"context"
	"os"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// task is a system to finetune on.
type task struct {
	name, system string
	grid         []int
	// turn is the rotation of the system.
	turn augment.Rotation
}

// tasks are two systems of the first training in another orientation, one of them in
// 3D, and a new system.
var tasks = []task{
	{"convection, gravity along z", "rayleigh_benard", []int{32, 32}, augment.Rotation{Axes: [3]int{2, 0, 1}}},
	{"shear flow along z", "navier_stokes", []int{32, 32}, augment.Rotation{Axes: [3]int{1, 2, 0}}},
	{"Burgers in 3D", "burgers_3d", []int{16, 16, 16}, augment.Identity()},
	{"compressible flow (unseen)", "euler_periodic", []int{32, 32}, augment.Identity()},
}

// finetuneAll finetunes all starts with all budgets and scores unseen runs.
func (e budget) finetuneAll(ctx context.Context, b compute.Backend, t task, weights map[string]string, seed uint64) (*taskResult, error) {
	system, err := solve.Lookup(t.system)
	if err != nil {
		return nil, err
	}
	o := solve.Options{System: system, Out: e.path("tune", e.tune, seed), Train: e.tune, Test: e.test, Grid: t.grid, Frames: 6 + steps, Seed: seed + 1000}
	set, err := experiment.Simulate(ctx, o)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	out := &taskResult{Task: t.name}
	for _, updates := range e.lengths() {
		forecasters := eval.Baselines()
		for _, s := range starts {
			em, err := e.finetuning(t, set, s, weights[s.name], updates, seed).Fit(ctx, b)
			if err != nil {
				return nil, err
			}
			defer em.Close()
			forecasters[s.name] = turned(experiment.Survive(em), t.turn)
		}
		found, err := score(ctx, set, forecasters)
		if err != nil {
			return nil, err
		}
		out.add(updates, found)
	}
	return out, nil
}

// finetuning returns the training of one start.
func (e budget) finetuning(t task, set *experiment.Set, s start, weights string, updates int, seed uint64) experiment.Training {
	r := experiment.Finetuning(weights, set, updates, seed)
	if weights == "" {
		for k, v := range network() {
			r.Network[k] = v
		}
	}
	return experiment.Training{Recipe: r, Rotations: []augment.Rotation{t.turn}, Log: os.Stderr, Dir: e.path("finetune", t.system, s.name, e.pretrain, e.tune, updates, seed)}
}

// score scores one step and a rollout of all unseen runs.
func score(ctx context.Context, set *experiment.Set, forecasters map[string]eval.Forecast) (*eval.Result, error) {
	for name, f := range forecasters {
		forecasters[name] = experiment.Remember(f)
	}
	return experiment.Score(ctx, set.Unseen, forecasters, set.Unseen.Metadata().History(), horizons)
}

// turned forecasts a rotated window and rotates the forecast back, so that it can be
// compared with the original window.
func turned(f eval.Forecast, turn augment.Rotation) eval.Forecast {
	if turn == augment.Identity() {
		return f
	}
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		volume, err := augment.Embed(w)
		if err != nil {
			return nil, err
		}
		if volume, err = turn.Apply(volume); err != nil {
			return nil, err
		}
		frames, err := f(ctx, volume, steps)
		if err != nil {
			return nil, err
		}
		future := *volume
		future.Frames, future.Times, future.Scalars = frames, nil, nil
		back, err := turn.Inverse().Apply(&future)
		if err == nil && len(w.Grid) < 3 {
			back, err = augment.Unembed(back, len(w.Grid))
		}
		if err != nil {
			return nil, err
		}
		return back.Frames, nil
	}
}

// addPretrained scores a network before finetuning on the systems of its training and
// on the rotated systems of the tasks.
func (r *result) addPretrained(ctx context.Context, sets experiment.Sets, s start, em *walrus.Emulator) error {
	for _, set := range sets {
		positions := []task{{name: set.Name, turn: augment.Identity()}}
		for _, t := range tasks {
			if t.system == set.Name {
				positions = append(positions, t)
			}
		}
		for _, t := range positions {
			found, err := score(ctx, set, map[string]eval.Forecast{s.name: turned(experiment.Survive(em), t.turn)})
			if err != nil {
				return err
			}
			r.pretrained(t.name).add(0, found)
		}
	}
	return nil
}
