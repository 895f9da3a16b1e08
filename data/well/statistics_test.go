package well_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// TestStatistics compares with the stats.yaml of every data set, which The
// Well's script wrote with five digits. Means that are tiny beside the standard
// deviation are what rounding leaves of a zero; of those only the size counts.
func TestStatistics(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "*", "stats.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			ds, err := well.Open(filepath.Dir(path), well.Options{Split: "train"})
			require.NoError(t, err)
			defer ds.Close()
			got, err := well.ComputeStatistics(context.Background(), ds, nil)
			require.NoError(t, err)
			want := ds.Statistics()
			compareTable(t, "mean", want.Mean, got.Mean, got.Std)
			compareTable(t, "std", want.Std, got.Std, nil)
			compareTable(t, "rms", want.RMS, got.RMS, nil)
			compareTable(t, "mean_delta", want.MeanDelta, got.MeanDelta, got.StdDelta)
			compareTable(t, "std_delta", want.StdDelta, got.StdDelta, nil)
			compareTable(t, "rms_delta", want.RMSDelta, got.RMSDelta, nil)
			assert.Empty(t, got.Small(1e-4))

			// A file of five digits is a file of The Well's, letter for letter,
			// but for such means.
			text, err := want.Format(ds.Metadata().Fields, len(ds.Metadata().Grid), data.WellPrecision)
			require.NoError(t, err)
			original, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(original), string(text))
			out := filepath.Join(t.TempDir(), "stats.yaml")
			require.NoError(t, data.WriteStatistics(out, got, ds.Metadata().Fields, len(ds.Metadata().Grid), data.FullPrecision))
			again, err := data.ReadStatistics(out)
			require.NoError(t, err)
			assert.Equal(t, got, again)
		})
	}
}

// compareTable allows half a unit of the fifth digit, and 1e-6 of the standard
// deviation.
func compareTable(t *testing.T, kind string, want, got, std map[string][]float64) {
	assert.Len(t, got, len(want), kind)
	for name, values := range want {
		require.Len(t, got[name], len(values), "%s of %s", kind, name)
		for i, v := range values {
			tol := 1e-6 * math.Abs(v)
			if std != nil {
				tol = 1e-6 * std[name][i]
			}
			if v != 0 {
				tol += 0.5e-4 * math.Pow(10, math.Floor(math.Log10(math.Abs(v))))
			}
			assert.InDelta(t, v, got[name][i], tol, "%s of %s[%d]", kind, name, i)
		}
	}
}

// TestStatisticsOfTransforms: transformed fields are summed up as such.
func TestStatisticsOfTransforms(t *testing.T) {
	path := filepath.Join(dataDir(t), "euler_multi_quadrants_periodicBC")
	ds, err := well.Open(path, well.Options{Split: "test", Transforms: []data.Transform{{Field: "density", Kind: data.Log10}}})
	require.NoError(t, err)
	defer ds.Close()
	got, err := well.ComputeStatistics(context.Background(), ds, nil)
	require.NoError(t, err)
	assert.NotContains(t, got.Mean, "density")
	var logs []float64
	for i, tr := range ds.Trajectories() {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: tr.Steps}, nil)
		require.NoError(t, err)
		channel := -1
		for c, name := range w.Channels(false) {
			if name == "log10_density" {
				channel = c
			}
		}
		for _, frame := range w.Frames {
			for _, v := range frame[channel*w.Points() : (channel+1)*w.Points()] {
				logs = append(logs, float64(v))
			}
		}
	}
	all := data.MomentsOf(logs)
	assert.InEpsilon(t, all.Mean, got.Mean["log10_density"][0], 1e-12)
	assert.InEpsilon(t, all.Std(), got.Std["log10_density"][0], 1e-12)
	assert.InEpsilon(t, all.RMS(), got.RMS["log10_density"][0], 1e-12)

	normalised, err := well.Open(path, well.Options{Split: "test", Normalization: well.RMS})
	require.NoError(t, err)
	defer normalised.Close()
	_, err = well.ComputeStatistics(context.Background(), normalised, nil)
	assert.ErrorContains(t, err, "expected values that are not normalised")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = well.ComputeStatistics(ctx, ds, nil)
	assert.ErrorIs(t, err, context.Canceled)
}
