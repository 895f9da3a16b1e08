package main

import (
	"context"
	"image/gif"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	writers "github.com/gowalrus/gowalrus/data/output"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// TestForecastFile: a file of every format has the frames of the forecast that a folder has,
// and says how they were made.
func TestForecastFile(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--start", "20", "--steps", "2", "--seed", "4", "--out"}
	forecastJSON(t, append(args, filepath.Join(dir, "folder"))...)
	want, err := npz.Read(filepath.Join(dir, "folder", forecastFile), npz.Options{})
	require.NoError(t, err)
	for _, ending := range forecastEndings() {
		path := filepath.Join(dir, "new", "x"+ending)
		r := forecastJSON(t, append(args, path)...)
		assert.Equal(t, written(path), r.Files)
		assert.Equal(t, []int{6, 2}, []int{r.History, r.Steps})
		assert.Nil(t, r.VRMSE)
		assert.FileExists(t, filepath.Join(written(path)[0], map[string]string{".zarr": ".zmetadata"}[ending]))
	}
	ds, err := well.Open(filepath.Join(dir, "new", "x.hdf5"), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
	require.NoError(t, err)
	assert.Equal(t, want.Frames, w.Frames)
	assert.Equal(t, want.Times, w.Times)
	text, err := os.ReadFile(filepath.Join(dir, "new", "x.zarr", ".zattrs"))
	require.NoError(t, err)
	for _, part := range []string{`"seed":"4"`, `"weights":"nano"`, `"source":"sample, split test, trajectory 0, from frame 20 with stride 1"`, `"program":"gowalrus `} {
		assert.Contains(t, string(text), part)
	}
	f, err := os.Open(filepath.Join(dir, "new", "x.gif"))
	require.NoError(t, err)
	defer f.Close()
	g, err := gif.DecodeAll(f)
	require.NoError(t, err)
	assert.Len(t, g.Image, 2)
	assert.ErrorContains(t, fails(append([]string{"forecast"}, append(args, filepath.Join(dir, "new", "x.nc"))...)...), "it exists: remove it")
}

// TestForecastEnsemble: members are trajectories of the file and differ.
func TestForecastEnsemble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.hdf5")
	output(t, "forecast", "--steps", "1", "--members", "2", "--out", path)
	ds, err := well.Open(path, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	require.Len(t, ds.Trajectories(), 2)
	var frames [2][]float32
	for m := range frames {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: m, Stride: 1, Frames: 1}, nil)
		require.NoError(t, err)
		frames[m] = w.Frames[0]
	}
	assert.NotEqual(t, frames[0], frames[1])
	for _, out := range []string{"folder", "x.gif"} {
		err := fails("forecast", "--members", "2", "--out", out)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, "--members: expected")
	}
	assert.NotContains(t, writers.Formats(), gifEnding)
}
