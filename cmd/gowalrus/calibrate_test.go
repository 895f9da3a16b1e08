package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestCalibrate writes a calibration that reads back, and says what it measured.
func TestCalibrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	out := output(t, "calibrate", "--data", flow, "--split", "train", "--steps", "2", "--windows", "4", "--bands", "3", "--out", path)
	require.Contains(t, out, "4 forecasts of 2 steps")
	require.Contains(t, out, "trust horizon: the expected VRMSE is at most 0.5 up to step 2\n")
	require.Contains(t, out, "bounds of the error in 3 frequency bands, from ")
	c, err := walrus.ReadCalibration(path)
	require.NoError(t, err)
	require.Equal(t, 2, c.Steps())
	require.Len(t, c.Fields["tracer"].Bands[1][0], 3)

	out = output(t, "calibrate", "--training", flow, "--rate", "0.5", "--out", path)
	require.Contains(t, out, "1 data sets; windows with a score above")
	f, err := walrus.ReadFamiliarity(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, 0.5, f.Rate)
	require.Contains(t, f.Datasets[0].Channels, "tracer")

	folder := t.TempDir()
	mine := filepath.Join(folder, "mine.yaml")
	require.NoError(t, os.WriteFile(mine, []byte("data: [{simulate: diffusion, grids: [[8, 8]]}]"), 0o666))
	out = output(t, "calibrate", "--training", mine, "--rate", "0.5", "--out", filepath.Join(folder, "calibration.json"))
	require.Contains(t, out, "1 data sets; windows with a score above")
	f, err = walrus.ReadFamiliarity(folder)
	require.NoError(t, err)
	require.Equal(t, "diffusion", f.Datasets[0].Name)
	require.ErrorIs(t, fails("calibrate", "--training", mine, "--training", flow, "--out", path), command.ErrUsage)

	require.ErrorIs(t, fails("calibrate", "--data", flow), command.ErrUsage)
	require.ErrorIs(t, fails("calibrate"), command.ErrUsage)
	require.ErrorContains(t, fails("calibrate", "--training", flow, "--rate", "0", "--out", path), "--rate: expected a rate between 0 and 1, such as 0.01, got 0")
}
