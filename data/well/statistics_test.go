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

// TestStatistics compares with the stats.yaml of every data set, which The Well's script
// wrote with five digits. A mean that is tiny compared with the standard deviation is the
// rounding error of zero; only its magnitude is compared.
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

			// The file with five digits equals The Well's byte for byte, except for such
			// means.
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

// compareTable allows a difference of half a unit of the fifth digit plus 1e-6 of the
// standard deviation.
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

// TestStatisticsOfTransforms: the statistics are those of the transformed values.
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

// TestStatisticsNaively compares with plain sums over all values of a file that has fields
// in chunks of several frames, constants per trajectory and constants shared by
// trajectories.
func TestStatisticsNaively(t *testing.T) {
	c := crafted{grid: []int{4, 3}, trajectories: 3, steps: 6, fields: []craftedField{
		{name: "p", sample: true, time: true, chunk: []int{1, 3, 4, 3}}, {name: "uu", order: 1, sample: true, time: true},
		{name: "ccc", sample: true}, {name: "dddd", along: []bool{true, false}},
	}}
	ds, err := well.Open(c.write(t), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	calls := 0
	got, err := well.ComputeStatistics(context.Background(), ds, func(done, total int) {
		calls++
		assert.Equal(t, []int{calls, 3}, []int{done, total})
	})
	require.NoError(t, err)
	assert.Equal(t, 3, calls)
	for _, f := range c.fields {
		components := 1 + f.order
		for component := range components {
			var values, deltas []float64
			for trajectory := range c.trajectories {
				for step := range c.steps {
					if (!f.sample && trajectory > 0) || (!f.time && step > 0) {
						continue
					}
					each(c.grid, func(at []int) {
						v := float64(c.value(f, trajectory, step, at, component))
						values = append(values, v)
						if step > 0 {
							deltas = append(deltas, v-float64(c.value(f, trajectory, step-1, at, component)))
						}
					})
				}
			}
			compareNaively(t, f.name, values, got.Mean[f.name][component], got.Std[f.name][component], got.RMS[f.name][component])
			if !f.time {
				assert.NotContains(t, got.MeanDelta, f.name)
				continue
			}
			compareNaively(t, f.name, deltas, got.MeanDelta[f.name][component], got.StdDelta[f.name][component], got.RMSDelta[f.name][component])
		}
	}
}

func compareNaively(t *testing.T, name string, values []float64, mean, std, rms float64) {
	sum, squares, spread := 0.0, 0.0, 0.0
	for _, v := range values {
		sum += v
		squares += v * v
	}
	n := float64(len(values))
	for _, v := range values {
		spread += (v - sum/n) * (v - sum/n)
	}
	assert.InEpsilon(t, sum/n, mean, 1e-12, name)
	assert.InDelta(t, math.Sqrt(spread/n), std, 1e-12*rms, name)
	assert.InEpsilon(t, math.Sqrt(squares/n), rms, 1e-12, name)
}

// TestUpdateStatistics: stats.yaml is computed from the training split only.
func TestUpdateStatistics(t *testing.T) {
	dir := t.TempDir()
	split := filepath.Join(dir, "data", "train")
	require.NoError(t, os.MkdirAll(split, 0o755))
	c := crafted{grid: []int{4}, trajectories: 2, steps: 3, fields: []craftedField{{name: "p", sample: true, time: true}}}
	require.NoError(t, os.Rename(c.write(t), filepath.Join(split, "a.hdf5")))
	require.NoError(t, well.UpdateStatistics(context.Background(), dir))
	ds, err := well.Open(dir, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	want, err := well.ComputeStatistics(context.Background(), ds, nil)
	require.NoError(t, err)
	assert.Equal(t, want, ds.Statistics())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "data and stats.yaml")
	assert.ErrorContains(t, well.UpdateStatistics(context.Background(), t.TempDir()), "expected files")
}
