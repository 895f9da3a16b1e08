package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

var input = filepath.Join("..", "..", "testdata", "data", "sources", "PDEGym", "CE-RP.nc")

func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out, bar bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-in", input, "-out", dir, "-name", "riemann", "-boundary", "open,wall/open", "-stats"}, &out, &bar))
	assert.Contains(t, out.String(), "CE-RP.hdf5: 2 trajectories of 21 frames as pdegym\n")
	assert.Contains(t, out.String(), "note: the file gives no values for time: counted from 0\n")
	assert.Contains(t, bar.String(), "42 of 42 frames (100 %)")
	ds, err := well.Open(filepath.Join(dir, "riemann"), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	assert.NotNil(t, ds.Statistics())
	assert.Equal(t, data.Boundaries{data.Both(data.Open), {Low: data.Wall, High: data.Open}}, ds.Files()[0].Boundaries)
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-list"}, &out, nil))
	for _, f := range convert.Formats() {
		assert.Contains(t, out.String(), f.Name+": "+f.Description)
	}
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected -in FILE and -out FOLDER":           {"-in", input},
		"expected wall, open or periodic, got \"up\"": {"-in", input, "-out", "x", "-boundary", "up"},
		"flag provided but not defined: -into":        {"-into", "x"},
	} {
		err := run(context.Background(), args, &bytes.Buffer{}, &bytes.Buffer{})
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
}
