package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
)

// dataReport is the JSON object of inspect --data.
type dataReport struct{ Datasets []well.Description }

func TestInspectData(t *testing.T) {
	text := inspectText(t, "--data", filepath.Join(dataDir, "acoustic_obstacle_mask"))
	for _, want := range []string{
		"name        acoustic_obstacle_mask", "grid        [40 40], cartesian, axes x y",
		"field       pressure: scalar\n", "field       velocity: vector\n", "field       mask: scalar, constant",
		"scalars     background_density", "train       2 files (2.9 MB), 6 trajectories of 31 frames, 150 windows of 6+1",
		"axis 0 open, axis 1 wall", "statistics  yes",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "PROBLEM")
}

func TestInspectDataJSON(t *testing.T) {
	var r dataReport
	require.NoError(t, json.Unmarshal([]byte(inspectText(t, "--data", filepath.Join(dataDir, "shear_flow_tensor"), "--json")), &r))
	require.Len(t, r.Datasets, 1)
	d := r.Datasets[0]
	assert.Equal(t, []int{32, 64}, d.Grid)
	assert.Equal(t, well.FieldDescription{Name: "strain_rate", Order: 2}, d.Fields[3])
	assert.True(t, d.Statistics)
	assert.Empty(t, d.Problems)
	require.Len(t, d.Splits, 3)
	assert.Equal(t, well.SplitDescription{Split: "train", Files: 2, Bytes: 2711960, Trajectories: 2, Steps: []int{18}, Windows: 24,
		Boundaries: []string{"axis 0 periodic, axis 1 periodic"}}, d.Splits[1])
}

// TestInspectDataProblems: the report lists every data set of a folder. Problems appear in the
// report and in the error, so that the exit status is not zero.
func TestInspectDataProblems(t *testing.T) {
	for name, want := range map[string]string{
		"broken/11_nan_frames.hdf5":      "trajectory 1 frame 5 field A: A is NaN at [0 0]",
		"broken/38_too_few_frames.hdf5":  "expected at least 7 for windows of 6+1 frames",
		"broken/01_truncated_half.hdf5":  "truncated",
		"broken/39_mixed_resolution_dir": "resolution: expected [32 32]",
		"sources":                        "PDEArena/NavierStokes2D_train_42_0.50000_1.h5: /: attribute \"dataset_name\": not found",
		"expected":                       "expected a data set (data/<split>/*.hdf5)",
		"nowhere":                        "no such file",
	} {
		var b bytes.Buffer
		_, err := run(context.Background(), []string{"inspect", "--data", filepath.Join(dataDir, name), "--json"}, &b, io.Discard)
		require.ErrorContains(t, err, want)
		if strings.HasPrefix(name, "broken") {
			var r dataReport
			require.NoError(t, json.Unmarshal(b.Bytes(), &r))
			require.Len(t, r.Datasets, 1)
			assert.Contains(t, strings.Join(r.Datasets[0].Problems, "\n"), want)
		}
	}
	assert.ErrorContains(t, fails("inspect", "--data", dataDir, "--backend"), "expected --data alone")
}

// TestInspectStatistics: --stats writes the stats.yaml of a data set that has none, equal to
// the one of well.UpdateStatistics, and never replaces an existing file.
func TestInspectStatistics(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "data"), os.DirFS(filepath.Join(dataDir, "shear_flow_tensor", "data"))))
	assert.Contains(t, inspectText(t, "--data", dir), "no (stats.yaml is missing, --stats writes it)")
	file := filepath.Join(dir, "stats.yaml")
	assert.Equal(t, "wrote "+file+"\n", inspectText(t, "--data", dir, "--stats"))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, well.UpdateStatistics(context.Background(), dir))
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	assert.ErrorContains(t, fails("inspect", "--data", dir, "--stats"), "file already exists")
	assert.ErrorContains(t, fails("inspect", "--data", filepath.Join(dir, "data", "train"), "--stats"), "expected the folder of a data set")
	assert.ErrorContains(t, fails("inspect", "--stats"), "expected --data FOLDER with --stats")
}
