package recipe_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestGiven: data sets in memory open as those of a folder do, with the same statistics, and
// their new fields join.
func TestGiven(t *testing.T) {
	line := &data.Window{Name: "line", Grid: []int{8, 8}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, Fields: []data.Field{{Name: "terrain_height"}}}
	for k := range 9 {
		frame := make([]float32, line.Points())
		for p := range frame {
			frame[p] = float32((p + k) % 5)
		}
		line.Frames = append(line.Frames, frame)
	}
	mine, err := data.NewMemory("mine", []*data.Window{line, line})
	require.NoError(t, err)
	r := recipe.Finetuning(nano.Name, "")
	r.Data = []recipe.Data{{TrainSet: mine, ValidSet: mine}}
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	s := o.Options.Systems[0]
	assert.Equal(t, "mine", s.Name)
	assert.NotNil(t, s.Valid)
	assert.InDelta(t, 2, s.Statistics.Mean["terrain_height"][0], 0.1)
	assert.Equal(t, []string{"terrain_height"}, o.Report.NewFields)

	ds, err := well.Open("../../testdata/data/shear_flow", well.Options{Split: "train"})
	require.NoError(t, err)
	defer ds.Close()
	want, err := well.ComputeStatistics(context.Background(), ds, nil)
	require.NoError(t, err)
	got, err := data.ComputeStatistics(context.Background(), ds)
	require.NoError(t, err)
	for field, values := range want.RMSDelta {
		assert.InEpsilonSlice(t, values, got.RMSDelta[field], 1e-9, field)
	}

	for want, d := range map[string]recipe.Data{
		"got several of them":             {TrainSet: mine, Path: "x"},
		"no transforms of a data set":     {TrainSet: mine, Transforms: map[string]string{"terrain_height": "log10"}},
		"expected training data with the": {ValidSet: mine},
		`rotations: expected`:             {TrainSet: mine, Rotations: "all"},
		"mine: ":                          {TrainSet: mine, Drop: []string{"tracer"}},
	} {
		r.Data = []recipe.Data{d}
		_, err := r.Open()
		assert.ErrorContains(t, err, want)
	}
}
