package well_test

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// bomb unpacks a file of 8.5 kB that declares gigabytes of values without storing them.
func bomb(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "bombs", name+".hdf5.gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	raw, err := io.ReadAll(z)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name+".hdf5")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	return path
}

// allocated returns the bytes that do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLargeFrames: one frame of 30000 × 30000 points exceeds the budget of a small file.
// The error names the option; no memory is allocated before it.
func TestLargeFrames(t *testing.T) {
	path := bomb(t, "grid")
	bytes := allocated(func() {
		d, err := well.Open(path, well.Options{})
		require.NoError(t, err)
		defer d.Close()
		_, err = d.Read(context.Background(), data.Span{Stride: 1, Frames: 1}, nil)
		var memory *well.MemoryError
		require.ErrorAs(t, err, &memory)
		assert.EqualValues(t, 3_600_000_000, memory.Need)
		assert.LessOrEqual(t, memory.Budget, int64(256<<20))
		assert.ErrorContains(t, err, path+": 1 frames of a grid of [30000 30000] with 1 channels: expected values of at most ")
		assert.ErrorContains(t, err, "Options.MemoryBytes")
		assert.ErrorAs(t, d.Check(context.Background(), nil), &memory)
		_, err = well.ComputeStatistics(context.Background(), d, nil)
		assert.ErrorAs(t, err, &memory)
	})
	assert.Less(t, bytes, uint64(16<<20))
}

// TestManySteps: Check does not list the spans of 60 million frames.
func TestManySteps(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("the one thread of js/wasm fires no timer while a loop runs, so the deadline never passes")
	}
	d, err := well.Open(bomb(t, "time"), well.Options{MemoryBytes: 1 << 30})
	require.NoError(t, err)
	defer d.Close()
	bytes := allocated(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, d.Check(ctx, nil), context.DeadlineExceeded)
	})
	assert.Less(t, bytes, uint64(1<<30))
}

// TestManyTrajectories: a million trajectories take the memory of their list.
func TestManyTrajectories(t *testing.T) {
	path := bomb(t, "tr")
	bytes := allocated(func() {
		d, err := well.Open(path, well.Options{})
		require.NoError(t, err)
		require.NoError(t, d.Close())
	})
	assert.Less(t, bytes, uint64(128<<20))
}

// TestMemoryBytes: the budget counts the values that stay in memory and those of a read.
func TestMemoryBytes(t *testing.T) {
	path := crafted{grid: []int{8, 8}, trajectories: 1, steps: 4, fields: []craftedField{{name: "p", time: true}, {name: "u", order: 1, time: true}}}.write(t)
	var memory *well.MemoryError
	// Trajectory 48, coordinates 2·32, times 16.
	_, err := well.Open(path, well.Options{MemoryBytes: 127})
	require.ErrorAs(t, err, &memory)
	d, err := well.Open(path, well.Options{MemoryBytes: 128 + 768 + 512}) // a frame and the buffer of u
	require.NoError(t, err)
	defer d.Close()
	_, err = d.Read(context.Background(), data.Span{Stride: 1, Frames: 1}, nil)
	assert.NoError(t, err)
	_, err = d.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
	require.ErrorAs(t, err, &memory)
	assert.Equal(t, well.MemoryError{What: "2 frames of a grid of [8 8] with 3 channels", Need: 2*768 + 512, Budget: 768 + 512}, *memory)
	_, err = well.Open(path, well.Options{MemoryBytes: -1})
	assert.EqualError(t, err, "well: options: MemoryBytes: expected a number of bytes, or 0 for the default, got -1")
}
