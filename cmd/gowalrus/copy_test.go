package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// opened opens the training split of a data set for a test.
func opened(t *testing.T, dir string) *well.Dataset {
	t.Helper()
	ds, err := well.Open(dir, well.Options{Split: "train"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ds.Close()) })
	return ds
}

// TestCopies: the four subcommands write data sets that differ from the source as they say.
func TestCopies(t *testing.T) {
	shear := filepath.Join(dataDir, "shear_flow")
	source := opened(t, shear)
	out := func(name string) string { return filepath.Join(t.TempDir(), name) }

	split := out("split")
	assert.Contains(t, output(t, "split", "--data", filepath.Join(shear, "data", "train"), "--ratios", "0.5,0.25,0.25", "--out", split), split+": trajectories ")
	splits, err := well.Splits(split)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"train", "valid", "test"}, splits)

	subset := out("subset")
	output(t, "subset", "--data", shear, "--splits", "train", "--trajectories", "0-1,3", "--drop", "tracer", "--from", "2", "--to", "8", "--out", subset)
	ds := opened(t, subset)
	assert.Len(t, ds.Trajectories(), 3)
	assert.Equal(t, 6, ds.Trajectories()[0].Steps)
	assert.Len(t, ds.Metadata().Fields, len(source.Metadata().Fields)-1)

	merged := out("merged")
	output(t, "merge", "--data", split, "--data", shear, "--out", merged)
	assert.Len(t, opened(t, merged).Trajectories(), len(opened(t, split).Trajectories())+len(source.Trajectories()))
	err = fails("check", "--data", merged)
	assert.ErrorContains(t, err, "it starts as")
	assert.NotErrorIs(t, err, command.ErrUsage)
	assert.ErrorContains(t, fails("merge", "--data", shear, "--data", subset, "--out", out("x")), "fields: expected [{tracer")

	small := out("small")
	output(t, "downsample", "--data", shear, "--coarsen", "2", "--stride", "3", "--out", small)
	assert.Equal(t, []int{16, 32}, opened(t, small).Metadata().Grid)
	assert.Contains(t, output(t, "check", "--data", small), "statistics  yes")
}

// TestCheck: one JSON object with the problems, which are an error.
func TestCheck(t *testing.T) {
	var out bytes.Buffer
	_, err := run(context.Background(), []string{"check", "--json", "--data", filepath.Join(dataDir, "broken", "11_nan_frames.hdf5")}, &out, io.Discard)
	assert.ErrorContains(t, err, "11_nan_frames.hdf5")
	assert.Contains(t, out.String(), `"problems":["well: `)
}

func TestCopiesUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --data PATH and --out FOLDER": {"merge", "--out", "x"},
		"three shares":                          {"split", "--data", dataDir, "--out", "x", "--ratios", "0.5,0.5"},
		"shares that add up to 1":               {"split", "--data", dataDir, "--out", "x", "--ratios", "0.5,0.5,0.5"},
		"expected train, valid or test":         {"subset", "--data", dataDir, "--out", "x", "--splits", "training"},
		"expected numbers and ranges":           {"subset", "--data", dataDir, "--out", "x", "--trajectories", "3-1"},
		"expected --data PATH":                  {"check"},
	} {
		err := fails(args...)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
}
