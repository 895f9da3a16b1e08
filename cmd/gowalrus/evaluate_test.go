package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

var flow = filepath.Join(dataDir, "shear_flow")

// TestEvaluate prints one line per data set and writes a report.
func TestEvaluate(t *testing.T) {
	dir := t.TempDir()
	out := output(t, "evaluate", "--data", flow, "--json", "--long", "--windows", "2", "--horizons", "1,1:3", "--report", dir)
	var line struct {
		Dataset  string
		Horizons map[string]map[string]float64
		Long     map[string]map[string]map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(out), &line))
	require.Equal(t, "shear_flow", line.Dataset)
	require.Len(t, line.Horizons, 2)
	for _, h := range line.Horizons {
		for _, name := range []string{"model", "persistence", "linear"} {
			require.Positive(t, h[name], name)
		}
	}
	require.Contains(t, line.Long["1:3"]["model"], "pressure")
	for _, name := range []string{"report.md", "report.json", "report.html", "shear_flow.gif"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Greater(t, info.Size(), int64(200), name)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "data:image/png;base64,")
	require.NotContains(t, string(page), "ZgotmplZ", "html/template refused an address")
}

// TestEvaluateTable prints a table.
func TestEvaluateTable(t *testing.T) {
	out := output(t, "evaluate", "--data", flow, "--windows", "1", "--horizons", "1,1:90,91:99")
	require.Contains(t, out, "shear_flow: VRMSE, median over places")
	require.Contains(t, out, "(up to step 24, the longest trajectory's last)")
	require.Contains(t, out, "91:99 beyond the end of all trajectories")
}

// TestEvaluateEnsemble prints the scores of an ensemble.
func TestEvaluateEnsemble(t *testing.T) {
	out := output(t, "evaluate", "--data", flow, "--windows", "1", "--horizons", "1", "--members", "2", "--noise", "0.01")
	require.Contains(t, out, "ensemble: VRMSE of the mean 0.")
}

// TestEvaluateDrop: a constant field that the weights do not know makes a data set
// unusable until it is dropped, and the error says how.
func TestEvaluateDrop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lake.hdf5")
	h := well.Header{Dataset: "lake", Trajectories: 1, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)},
		Fields: []data.Field{{Name: "pressure"}, {Name: "sediment", Constant: true}}, Coordinates: make([][]float32, 2)}
	frame := make([]float32, 32*32)
	for i := range 32 {
		for a := range h.Coordinates {
			h.Coordinates[a] = append(h.Coordinates[a], float32(i))
		}
		for j := range 32 {
			frame[32*i+j] = float32(math.Sin(float64(i) / 5))
		}
	}
	for i := range 8 {
		h.Times = append(h.Times, float32(i))
	}
	w, err := well.Create(file, h, well.WriteOptions{})
	require.NoError(t, err)
	for i := range h.Times {
		require.NoError(t, w.Frame(0, i, frame))
	}
	require.NoError(t, w.Constants(0, frame))
	require.NoError(t, w.Close())

	args := []string{"evaluate", "--data", file, "--windows", "1", "--horizons", "1"}
	err = fails(args...)
	require.ErrorContains(t, err, "no sediment; it knows")
	require.ErrorContains(t, err, "--drop NAME")
	require.Contains(t, output(t, append(args, "--drop", "sediment")...), "lake: VRMSE")
	require.ErrorContains(t, fails(append(args, "--drop", "sediment,salt")...), `which are pressure, sediment, got "salt"`)
}

func TestEvaluateErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --data FOLDER":   {},
		"expected steps such as 1": {"--data", flow, "--horizons", "x"},
		"no such file":             {"--data", flow, "--weights", "nowhere"},
		"nothing: ":                {"--data", "nothing"},
		"split":                    {"--data", flow, "--split", "later"},
		"expected 2 to 16777216 frames of history": {"--data", flow, "--history", "1"},
	} {
		require.ErrorContains(t, fails(append([]string{"evaluate"}, args...)...), want)
	}
}

// TestEvaluateUnjudged: the error of a run without best names its weights in last.
func TestEvaluateUnjudged(t *testing.T) {
	dir := t.TempDir()
	best, last := filepath.Join(dir, "best"), filepath.Join(dir, "last")
	err := fails("evaluate", "--data", flow, "--weights", best)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotContains(t, err.Error(), last)
	require.NoError(t, os.Mkdir(last, 0o777))
	require.ErrorContains(t, fails("evaluate", "--data", flow, "--weights", best), "its weights so far are in "+last)
}
