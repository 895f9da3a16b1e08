package recipe_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestFamiliarity: the record has a data set for each entry, drawn with its strides and
// rotations, and its limit separates other runs of the systems from noise.
func TestFamiliarity(t *testing.T) {
	r, err := recipe.Parse([]byte(`
weights: nowhere
data:
  - {simulate: diffusion, grids: [[16, 16], [12, 8]], valid: -1}
  - {simulate: burgers, name: gas, grids: [[16, 12]], rotations: plane}
sampling: {strides: [1, 2]}
`))
	require.NoError(t, err)
	f, err := r.Familiarity(context.Background(), eval.FamiliarityOptions{Windows: 40, Rate: 0.1})
	require.NoError(t, err)
	require.Len(t, f.Datasets, 2)
	require.Equal(t, "diffusion", f.Datasets[0].Name)
	require.Equal(t, "gas", f.Datasets[1].Name)
	require.Equal(t, []int{40, 40, 20}, []int{f.Datasets[0].Windows, f.Datasets[1].Windows, f.Windows})
	require.Contains(t, f.Datasets[1].Channels, "velocity_y")

	again, err := r.Familiarity(context.Background(), eval.FamiliarityOptions{Windows: 40, Rate: 0.1})
	require.NoError(t, err)
	require.Equal(t, f, again)

	pool, err := solve.NewPool(solve.PoolOptions{})
	require.NoError(t, err)
	defer pool.Close()
	s, err := solve.Lookup("burgers")
	require.NoError(t, err)
	ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{16, 12}}, Trajectories: 20, Seed: 7})
	require.NoError(t, err)
	alarms := 0
	for i := range ds.Trajectories() {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Start: 4, Stride: 1, Frames: 6}, nil)
		require.NoError(t, err)
		score, _, err := f.Score(w)
		require.NoError(t, err)
		if score > f.Limit {
			alarms++
		}
		w.Frames[1], w.Frames[4] = w.Frames[4], w.Frames[1]
		score, _, err = f.Score(w)
		require.NoError(t, err)
		require.Greater(t, score, f.Limit, "run %d with two frames exchanged", i)
	}
	require.Less(t, alarms, 8)
}

// TestFamiliarityErrors: errors name the number or the key.
func TestFamiliarityErrors(t *testing.T) {
	r, err := recipe.Parse([]byte("data: [{simulate: diffusion, grids: [[8, 8]]}]"))
	require.NoError(t, err)
	_, err = r.Familiarity(context.Background(), eval.FamiliarityOptions{Windows: 8})
	require.ErrorContains(t, err, "expected at least 99 validation windows for a rate of 0.01, got 2")
	_, err = r.Familiarity(context.Background(), eval.FamiliarityOptions{Windows: -1})
	require.ErrorContains(t, err, "expected a positive number of windows, or 0 for 96, got -1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = r.Familiarity(ctx, eval.FamiliarityOptions{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = new(recipe.Recipe).Familiarity(context.Background(), eval.FamiliarityOptions{})
	require.ErrorContains(t, err, "data: expected at least one data set")
}
