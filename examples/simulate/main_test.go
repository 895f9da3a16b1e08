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

func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out, bar bytes.Buffer
	args := []string{"-system", "burgers", "-out", dir, "-trajectories", "12", "-steps", "4", "-grid", "8x16", "-param", "viscosity=0.2"}
	require.NoError(t, run(context.Background(), args, &out, &bar))
	assert.Contains(t, out.String(), "burgers: 10 trajectories for training, 1 for validation, 1 for test")
	assert.Contains(t, bar.String(), "48 of 48 frames (100 %)")
	ds, err := well.Open(filepath.Join(dir, "burgers"), well.Options{Split: "train"})
	require.NoError(t, err)
	defer ds.Close()
	assert.Equal(t, []int{8, 16}, ds.Metadata().Grid)
	assert.Len(t, ds.Trajectories(), 10)
	assert.ErrorContains(t, run(context.Background(), args, &out, &bar), "the file exists")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	args[3] = t.TempDir()
	assert.ErrorIs(t, run(ctx, args, &out, &bar), context.Canceled)
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-list"}, &out, nil))
	for _, s := range solve.Systems() {
		assert.Contains(t, out.String(), s.Name+": "+s.Title)
	}
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"-system: expected the name of a system":       {"-out", "x"},
		`-system: solve: unknown system "x": expected`: {"-out", "x", "-system", "x"},
		"-out: expected a folder":                      {"-system", "burgers"},
		"-trajectories: expected at least 3":           {"-system", "burgers", "-out", "x", "-trajectories", "2"},
		`-grid: expected points per axis`:              {"-system", "burgers", "-out", "x", "-grid", "8by8"},
		`expected NAME=NUMBER, got "viscosity"`:        {"-param", "viscosity"},
		"flag provided but not defined: -trajectory":   {"-trajectory", "2"},
	} {
		err := run(context.Background(), args, &bytes.Buffer{}, &bytes.Buffer{})
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
}
