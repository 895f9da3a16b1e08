package well_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// set returns the path of a data set of the tests.
func set(name string) string { return filepath.Join("..", "..", "testdata", "data", name) }

// all returns every trajectory of a split.
func all(t *testing.T, path, split string) []*data.Window {
	t.Helper()
	ds, err := well.Open(path, well.Options{Split: split})
	require.NoError(t, err)
	defer ds.Close()
	var out []*data.Window
	for i, tr := range ds.Trajectories() {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: tr.Steps}, nil)
		require.NoError(t, err)
		w.Name, w.Origin = "", data.Origin{}
		out = append(out, w)
	}
	return out
}

// TestCopy: a copy without options has the windows of the source.
func TestCopy(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"shear_flow_tensor", "acoustic_obstacle_mask"} {
		out := filepath.Join(t.TempDir(), "copy")
		done := 0
		r, err := well.Copy(ctx, []string{set(name)}, well.CopyOptions{Out: out, Deflate: -1, Progress: func(n, total int) { done = n; assert.LessOrEqual(t, n, total) }})
		require.NoError(t, err, name)
		assert.Equal(t, r.Frames, done)
		splits, err := well.Splits(set(name))
		require.NoError(t, err)
		for _, split := range splits {
			want, got := all(t, set(name), split), all(t, out, split)
			require.Len(t, got, len(want), name)
			for i := range want {
				assert.ElementsMatch(t, want[i].Scalars, got[i].Scalars, name)
				want[i].Scalars, got[i].Scalars = nil, nil
				assert.Equal(t, want[i], got[i], name)
			}
		}
		ds, err := well.Open(out, well.Options{Split: "train"})
		require.NoError(t, err)
		assert.NotNil(t, ds.Statistics())
		assert.Equal(t, "copy", ds.Metadata().Name)
		require.NoError(t, ds.Close())
	}
}

// TestCopySubset: fields, steps and trajectories, on a coarser grid.
func TestCopySubset(t *testing.T) {
	ctx := context.Background()
	whole := all(t, set("shear_flow"), "train")
	out := filepath.Join(t.TempDir(), "small")
	r, err := well.Copy(ctx, []string{set("shear_flow")}, well.CopyOptions{
		Out: out, Name: "shear_small", Keep: []string{"velocity", "pressure"}, From: 1, Stride: 2, Coarsen: 2,
		Select: func(split string, number int, _ data.Trajectory) bool { return split == "train" && number != 0 },
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"train": len(whole) - 1}, r.Trajectories)
	got := all(t, out, "train")
	for i, w := range got {
		want, err := whole[i+1].Drop("tracer")
		require.NoError(t, err)
		want, err = want.Coarsen(2)
		require.NoError(t, err)
		assert.Equal(t, want.Fields, w.Fields)
		require.Len(t, w.Frames, len(want.Frames)/2)
		for k, frame := range w.Frames {
			assert.Equal(t, want.Frames[1+2*k], frame)
			assert.Equal(t, want.Times[1+2*k], w.Times[k])
		}
		assert.Equal(t, want.Coordinates, w.Coordinates)
	}
}

// TestCopyMerge: several sources, one of them a folder of files without splits, get new
// splits. The error of sources that differ names the difference.
func TestCopyMerge(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	first := set("shear_flow")
	n := 0
	splits, err := well.Splits(first)
	require.NoError(t, err)
	for _, s := range splits {
		n += len(all(t, first, s))
	}
	folder := filepath.Join(first, "data", "train")
	r, err := well.Copy(ctx, []string{first, folder}, well.CopyOptions{Out: filepath.Join(dir, "merged"), Ratios: &data.Ratios{Train: 0.5, Valid: 0.25, Test: 0.25}, Seed: 3, Deflate: -1})
	require.NoError(t, err)
	total := 0
	for split, k := range r.Trajectories {
		total += k
		assert.Len(t, all(t, r.Dir, split), k)
	}
	assert.Equal(t, n+len(all(t, first, "train")), total)

	for want, c := range map[string]struct {
		sources []string
		o       well.CopyOptions
	}{
		"expected at least one data set":   {nil, well.CopyOptions{Out: filepath.Join(dir, "x")}},
		"the folder of the new data set":   {[]string{first}, well.CopyOptions{}},
		"the folder exists":                {[]string{first}, well.CopyOptions{Out: dir}},
		"has no splits: expected Ratios":   {[]string{folder}, well.CopyOptions{Out: filepath.Join(dir, "x")}},
		"rayleigh_benard: grid: expected":  {[]string{first, set("rayleigh_benard")}, well.CopyOptions{Out: filepath.Join(dir, "x")}},
		`to keep, got "vorticity"`:         {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), Keep: []string{"vorticity"}}},
		"to keep or to drop, got both":     {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), Keep: []string{"pressure"}, Drop: []string{"tracer"}}},
		"expected a factor that divides":   {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), Coarsen: 7}},
		"Select keeps none":                {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), Select: func(string, int, data.Trajectory) bool { return false }}},
		"expected shares that add up to 1": {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), Ratios: &data.Ratios{Train: 0.5}}},
		"expected more than 1000":          {[]string{first}, well.CopyOptions{Out: filepath.Join(dir, "x"), From: 1000}},
		"plain.npz: not an HDF5 file":      {[]string{set("arrays/plain.npz")}, well.CopyOptions{Out: filepath.Join(dir, "x")}},
	} {
		_, err := well.Copy(ctx, c.sources, c.o)
		assert.ErrorContains(t, err, want)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = well.Copy(ended, []string{first}, well.CopyOptions{Out: filepath.Join(dir, "x")})
	assert.ErrorIs(t, err, context.Canceled)
}
