package well_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
)

func ExampleDescribe() {
	d, err := well.Describe(context.Background(), "../../testdata/data/shear_flow_tensor")
	if err != nil {
		log.Fatal(err)
	}
	s := d.Splits[1]
	fmt.Println(d.Name, d.Grid, d.Boundaries, d.Statistics)
	fmt.Println(s.Split, s.Trajectories, "trajectories of", s.Steps, "frames,", s.Windows, "windows")
	// Output:
	// shear_flow_tensor [32 64] [axis 0 periodic, axis 1 periodic] true
	// train 2 trajectories of [18] frames, 24 windows
}

// TestDescribeProblems: problems are in the error and in the description.
func TestDescribeProblems(t *testing.T) {
	d, err := well.Describe(context.Background(), filepath.Join(dataDir(t), "broken", "11_nan_frames.hdf5"))
	require.ErrorContains(t, err, "trajectory 1 frame 5 field A: A is NaN at [0 0]")
	require.Len(t, d.Problems, 2)
	assert.Contains(t, d.Problems[0], "trajectory 0 frame 3 field B: B is +Inf at [4 4]")
	assert.Contains(t, d.Problems[1], "trajectory 1 frame 5 field A")
	assert.Equal(t, 1, d.Splits[0].Files)
	d, err = well.Describe(context.Background(), "nowhere")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Len(t, d.Problems, 1)
}

func TestFind(t *testing.T) {
	flow := filepath.Join(dataDir(t), "shear_flow")
	for path, want := range map[string]string{
		flow:                                 flow,
		filepath.Join(flow, "data", "train"): filepath.Join(flow, "data", "train"),
		filepath.Join(dataDir(t), "broken", "11_nan_frames.hdf5"): filepath.Join(dataDir(t), "broken", "11_nan_frames.hdf5"),
	} {
		got, err := well.Find(path)
		require.NoError(t, err)
		assert.Equal(t, []string{want}, got)
	}
	all, err := well.Find(dataDir(t))
	require.NoError(t, err)
	assert.Contains(t, all, flow)
	assert.Greater(t, len(all), 8)
	_, err = well.Find(filepath.Join(dataDir(t), "expected"))
	require.ErrorContains(t, err, "expected a data set (data/<split>/*.hdf5)")
}

// TestCreateStatistics: an existing stats.yaml stays; a new one is that of UpdateStatistics.
func TestCreateStatistics(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "data"), os.DirFS(filepath.Join(dataDir(t), "shear_flow_tensor", "data"))))
	file, err := well.CreateStatistics(ctx, dir)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, well.StatisticsFile), file)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, well.UpdateStatistics(ctx, dir))
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	_, err = well.CreateStatistics(ctx, dir)
	require.ErrorIs(t, err, os.ErrExist)
	_, err = well.CreateStatistics(ctx, filepath.Join(dir, "data", "train"))
	require.ErrorContains(t, err, "expected the folder of a data set")
}
