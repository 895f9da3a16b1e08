package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	var out, bar bytes.Buffer
	args := []string{"simulate", "--system", "burgers", "--out", dir, "--trajectories", "12", "--steps", "4", "--grid", "8x16", "--param", "viscosity=0.2"}
	_, err := run(context.Background(), args, &out, &bar)
	require.NoError(t, err)
	assert.Contains(t, out.String(), "burgers: 10 trajectories for training, 1 for validation, 1 for test")
	assert.Contains(t, bar.String(), "48 of 48 frames (100 %)")
	ds, err := well.Open(filepath.Join(dir, "burgers"), well.Options{Split: "train"})
	require.NoError(t, err)
	defer ds.Close()
	assert.Equal(t, []int{8, 16}, ds.Metadata().Grid)
	assert.Len(t, ds.Trajectories(), 10)
	assert.ErrorContains(t, fails(args...), "the file exists")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	args[4] = t.TempDir()
	_, err = run(ctx, args, &out, &bar)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSimulateList(t *testing.T) {
	out := output(t, "simulate", "--list")
	for _, s := range solve.Systems() {
		assert.Contains(t, out, s.Name+": "+s.Title)
	}
	assert.Contains(t, output(t, "__complete", "simulate", "--system", "gray"), "gray_scott\n")
}

func TestSimulateUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"--system: expected the name of a system":       {"--out", "x"},
		`--system: solve: unknown system "x": expected`: {"--out", "x", "--system", "x"},
		"--out: expected a folder":                      {"--system", "burgers"},
		"--trajectories: expected at least 3":           {"--system", "burgers", "--out", "x", "--trajectories", "2"},
		`--grid: expected positive numbers joined by x`: {"--system", "burgers", "--out", "x", "--grid", "8by8"},
		`expected NAME=NUMBER, got "viscosity"`:         {"--param", "viscosity"},
		"unknown flag: --trajectory":                    {"--trajectory", "2"},
	} {
		err := fails(append([]string{"simulate"}, args...)...)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
}
