package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestFinetune trains a network and finetunes it both ways for a few updates. One
// result has positions for all tokens, padding included, the other none; both are
// finetuned with the authors' settings.
func TestFinetune(t *testing.T) {
	ctx, b := context.Background(), testbackend.New(t)
	e := budget{Settings: experiment.Settings{Out: t.TempDir(), Updates: 10, Runs: 1, Seeds: []uint64{3}}, pretrain: 20, test: 1}
	sets, err := experiment.SimulateAll(ctx, []string{"shallow_water"}, solve.Options{Out: e.Out, Train: 1, Test: 1, Grid: []int{16, 16}, Frames: history + 2, Seed: 3})
	require.NoError(t, err)
	defer sets.Close()
	base := e.pretraining(sets)
	base.Recipe.Epochs, base.Recipe.Schedule.Cooldown = 4, 1
	base.Recipe.Network["blocks"], base.Recipe.Network["intermediate"] = 1, 8
	em, err := base.Fit(ctx, b)
	require.NoError(t, err)
	em.Close()
	for way, tokens := range map[string]int{withAPE: 3, withoutAPE: 0} {
		em, err := e.finetune(ctx, b, sets[0], base.Checkpoint(), way, 4)
		require.NoError(t, err, way)
		require.Len(t, em.Model().Config().APE, tokens, way)
		require.Equal(t, walrus.RoPEPerAxis, em.Model().Config().RoPE, way)
		em.Close()
		m, err := walrus.OpenCheckpoint(filepath.Join(e.Out, "finetune-shallow_water-"+way+"-1-20-10-4", "last"))
		require.NoError(t, err, way)
		require.NotNil(t, m.Scaling.Statistics, way)
	}
}

// TestSummarise: the shortest horizon is first; curves and comparison are medians over
// the seeds.
func TestSummarise(t *testing.T) {
	r := &eval.Result{}
	for i, h := range horizons {
		score := func(v float64) eval.Score { return eval.Score{Median: v} }
		r.Horizons = append(r.Horizons, eval.HorizonResult{Horizon: h, Windows: 5, Scores: map[string]eval.Score{
			name(withAPE, 1): score(float64(10 - i)), name(withAPE, 2): score(2), name(withoutAPE, 1): score(8), name(withoutAPE, 2): score(4), "persistence": score(9)},
			Curves: map[string][]float64{name(withAPE, 1): {1, 2}, name(withAPE, 2): {3, 4}, name(withoutAPE, 1): {1, 1}, name(withoutAPE, 2): {1, 3}}})
	}
	out := summarise("flow", r, []uint64{1, 2})
	require.Equal(t, map[string][]float64{withAPE: {2, 3}, withoutAPE: {1, 2}}, out.Curves)
	require.Equal(t, "1", out.Horizons[0].Steps)
	require.Equal(t, []float64{5, 2}, out.Horizons[0].Seeds[withAPE])
	require.Equal(t, experiment.Comparison{Better: 2, Of: 2, Improvement: 43.75}, out.Horizons[0].APE)
	require.Equal(t, 1, out.Horizons[len(horizons)-1].APE.Better)
	var text strings.Builder
	show(&text, []*result{out})
	require.Contains(t, text.String(), "| flow | 1 | 5.000 2.000 | 8.000 4.000 | 2 of 2 | 44 % | 9.000 |")
}
