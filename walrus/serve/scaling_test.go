package serve

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestOpenModelScaling: a served checkpoint normalises fields as in its training,
// whatever other options are set.
func TestOpenModelScaling(t *testing.T) {
	c := walrus.Micro()
	c.Registry, c.Tokens = data.MustRegistry("density"), [3]int{4, 4, 2}
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Close()
	table := map[string][]float64{"density": {3}}
	w.SetScaling(walrus.Scaling{Eps: 1e-8, Statistics: &data.Statistics{RMS: table, RMSDelta: table}})
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))

	frame := make([]float32, 8*8)
	for i := range frame {
		frame[i] = float32(i%7) / 7
	}
	window := &data.Window{Grid: []int{8, 8}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)},
		Fields: []data.Field{{Name: "density"}}, Frames: [][]float32{frame, frame}}
	o := walrus.EmulatorOptions{Backend: testbackend.New(t), JitterOff: true}
	em, err := walrus.Load(dir, o)
	require.NoError(t, err)
	defer em.Close()
	want, err := em.Emulate(context.Background(), window)
	require.NoError(t, err)

	o.Resize = walrus.Resize{8, 0, 0}
	model, err := OpenModel(dir, o)
	require.NoError(t, err)
	defer model.Close()
	for got, err := range model.Forecaster.Rollout(context.Background(), window, 1) {
		require.NoError(t, err)
		require.Equal(t, want, got.Values)
	}
}
