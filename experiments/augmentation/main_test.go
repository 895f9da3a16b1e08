package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestTurned: the forecaster sees the rotated window, and its forecast is rotated back.
// Persistence, which rotates with the window, gives the same forecast as without
// rotation.
func TestTurned(t *testing.T) {
	w := &data.Window{Fields: []data.Field{{Name: "b"}, {Name: "velocity", Order: 1}}, Grid: []int{2, 3},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}}
	for f := range 2 {
		frame := make([]float32, 18)
		for i := range frame {
			frame[i] = float32(100*f + i)
		}
		w.Frames = append(w.Frames, frame)
	}
	for _, task := range tasks {
		seen := &data.Window{}
		f := turned(func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
			seen = w
			return eval.Persistence(w.Frames, steps)
		}, task.turn)
		frames, err := f(context.Background(), w, 3)
		require.NoError(t, err)
		require.Equal(t, [][]float32{w.Frames[1], w.Frames[1], w.Frames[1]}, frames, task.name)
		if task.turn == augment.Identity() {
			continue
		}
		require.True(t, seen.Embedded)
		wall := 2 // the axis along which gravity points
		if task.system == "navier_stokes" {
			wall = 0 // y became x
		}
		require.Equal(t, data.Both(data.Wall), seen.Boundaries[wall], task.name)
	}
	require.Equal(t, []int{1, 2, 3}, turnedGrid(tasks[0].turn, w.Grid))
	require.Equal(t, []int{3, 1, 2}, turnedGrid(tasks[1].turn, w.Grid))
}

func turnedGrid(turn augment.Rotation, grid []int) []int {
	in := append(append([]int{}, grid...), 1)
	return []int{in[turn.Axes[0]], in[turn.Axes[1]], in[turn.Axes[2]]}
}

// TestTrainings trains on rotated 2D data and finetunes the weights on a 3D volume, and
// a fresh network on rotated 2D data, for a few updates.
func TestTrainings(t *testing.T) {
	ctx, b := context.Background(), testbackend.New(t)
	e := budget{Settings: experiment.Settings{Out: t.TempDir(), Updates: 10, Runs: 1}, pretrain: 20, tune: 1, test: 1}
	simulate := func(name string, grid ...int) *experiment.Set {
		sets, err := experiment.SimulateAll(ctx, []string{name}, solve.Options{Out: filepath.Join(e.Out, "data"), Train: 1, Test: 1, Grid: grid, Frames: 6 + steps, Seed: 1})
		require.NoError(t, err)
		t.Cleanup(sets.Close)
		return sets[0]
	}
	plane, volume := simulate("burgers", 8, 8), simulate("burgers_3d", 8, 8, 8)
	small := func(tr experiment.Training) *walrus.Emulator {
		tr.Recipe.Network["blocks"], tr.Recipe.Network["intermediate"] = 1, 8
		if tr.Recipe.Weights != "" {
			tr.Recipe.Network = map[string]any{"rope": "per_axis"}
		}
		em, err := tr.Fit(ctx, b)
		require.NoError(t, err)
		t.Cleanup(em.Close)
		return em
	}
	base := e.pretraining(experiment.Sets{plane}, starts[2], 1)
	base.Recipe.Epochs, base.Recipe.Schedule.Cooldown = 6, 1
	require.Equal(t, "cube", base.Recipe.Data[0].Rotations)
	r := &result{}
	require.NoError(t, r.addPretrained(ctx, experiment.Sets{plane}, starts[2], small(base)))
	require.Contains(t, r.Pretrained[0].Scores[0].Errors["1"], "augmented")
	found, err := score(ctx, volume, map[string]eval.Forecast{"x": experiment.Survive(small(e.finetuning(tasks[2], volume, starts[2], base.Checkpoint(), 10, 1)))})
	require.NoError(t, err)
	require.Positive(t, found.Horizons[1].Scores["x"].Median)
	found, err = score(ctx, plane, map[string]eval.Forecast{"x": turned(experiment.Survive(small(e.finetuning(tasks[0], plane, starts[0], "", 10, 1))), tasks[0].turn)})
	require.NoError(t, err)
	require.Positive(t, found.Horizons[1].Scores["x"].Median)
}

// TestReport: tables hold medians over the seeds and compare budgets one by one.
func TestReport(t *testing.T) {
	made := func(naive, augmented float64) *result {
		errors := map[string]map[string]float64{}
		for _, h := range horizons {
			errors[h.String()] = map[string]float64{"scratch": 1, "naive": naive, "augmented": augmented}
		}
		return &result{Pretrained: []*taskResult{{"flow", []scores{{0, errors}}}}, Tasks: []*taskResult{{"turned", []scores{{5, errors}}}}}
	}
	var out strings.Builder
	results := []*result{made(0.5, 0.4), made(0.7, 0.7)}
	show(&out, results)
	require.Contains(t, out.String(), "| flow | 1 | 0.600 | 0.550 |")
	require.Contains(t, out.String(), "| turned | 1:20 | 5 | 1.000 | 0.600 | 0.550 | 0.000 | 0.000 |")
	require.Contains(t, out.String(), "| turned | 1 | 1 of 2 | 10 % |")
	require.NoError(t, draw(filepath.Join(t.TempDir(), "x.png"), results))
}
