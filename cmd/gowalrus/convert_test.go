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

var foreign = filepath.Join(dataDir, "sources", "PDEGym", "CE-RP.nc")

func TestConvert(t *testing.T) {
	dir := t.TempDir()
	var out, bar bytes.Buffer
	_, err := run(context.Background(), []string{"convert", "--in", foreign, "--out", dir, "--name", "riemann", "--boundary", "open,wall/open", "--stats"}, &out, &bar)
	require.NoError(t, err)
	assert.Contains(t, out.String(), "CE-RP.hdf5: 2 trajectories of 21 frames as pdegym\n")
	assert.Contains(t, out.String(), "note: the file gives no values for time: counted from 0\n")
	assert.Contains(t, bar.String(), "42 of 42 frames (100 %)")
	ds, err := well.Open(filepath.Join(dir, "riemann"), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	assert.NotNil(t, ds.Statistics())
	assert.Equal(t, data.Boundaries{data.Both(data.Open), {Low: data.Wall, High: data.Open}}, ds.Files()[0].Boundaries)
}

func TestConvertList(t *testing.T) {
	out := output(t, "convert", "--list")
	for _, f := range convert.Formats() {
		assert.Contains(t, out, f.Name+": "+f.Description)
	}
}

func TestConvertUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --in FILE and --out FOLDER":         {"--in", foreign},
		"expected wall, open or periodic, got \"up\"": {"--in", foreign, "--out", "x", "--boundary", "up"},
		"unknown flag: --into":                        {"--into", "x"},
	} {
		err := fails(append([]string{"convert"}, args...)...)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
}
