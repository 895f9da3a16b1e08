package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestTraining: the two networks see the same data, four windows at a time, and differ
// only in their history.
func TestTraining(t *testing.T) {
	s := experiment.Settings{Out: t.TempDir(), Updates: 60, Runs: 1, Seeds: []uint64{1}}
	set, err := simulate(context.Background(), s)
	require.NoError(t, err)
	defer set.Close()
	for _, history := range []int{1, most} {
		opened, err := training(s, set, history).Recipe.Open()
		require.NoError(t, err)
		defer opened.Close()
		o := opened.Options
		require.Equal(t, 60, o.Epochs*o.Updates)
		require.Equal(t, []int{history, 4}, []int{o.Systems[0].Cut.Input, o.Systems[0].Batch})
	}
	require.NotEqual(t, training(s, set, 1).Dir, training(s, set, most).Dir)
	require.NoError(t, draw(context.Background(), s, set.Unseen, map[string]eval.Forecast{name(1): eval.Baselines()["linear"], name(most): eval.Baselines()["persistence"]}))
	require.FileExists(t, filepath.Join(s.Out, "forecast.png"))
	s.Seeds = []uint64{1, 2}
	require.ErrorContains(t, run(context.Background(), nil, s), "expected one seed, got 2")
}
