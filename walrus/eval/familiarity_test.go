package eval_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// streams simulates data sets of systems on 16×16 points. Each seed has its own runs.
func streams(t *testing.T, seed uint64, runs int, names ...string) (out []data.Dataset) {
	t.Helper()
	pool, err := solve.NewPool(solve.PoolOptions{Workers: 2})
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	for _, name := range names {
		s, err := solve.Lookup(name)
		require.NoError(t, err)
		ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{16, 16}}, Frames: 7, Trajectories: runs, Seed: seed})
		require.NoError(t, err)
		out = append(out, ds)
	}
	return out
}

// alarms returns the part of the windows whose score exceeds the limit.
func alarms(t *testing.T, f *walrus.Familiarity, sets []data.Dataset) float64 {
	t.Helper()
	n, over := 0, 0
	for _, ds := range sets {
		for i, tr := range ds.Trajectories() {
			for start := 0; start+6 <= tr.Steps; start += 3 {
				w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Start: start, Stride: 1, Frames: 6}, nil)
				require.NoError(t, err)
				score, _, err := f.Score(w)
				require.NoError(t, err)
				n++
				if score > f.Limit {
					over++
				}
			}
		}
	}
	return float64(over) / float64(n)
}

// TestFamiliarity: on systems of the training few windows are alarms, about the stated rate;
// on systems left out with the same fields, most are.
func TestFamiliarity(t *testing.T) {
	ctx := context.Background()
	trained := []string{"diffusion", "radiative_layer"}
	f, err := eval.RecordFamiliarity(ctx, streams(t, 1, 30, trained...), streams(t, 2, 40, trained...), eval.FamiliarityOptions{Rate: 0.1})
	require.NoError(t, err)
	require.Equal(t, 2*40, f.Windows)
	require.InDelta(t, 0.1, alarms(t, f, streams(t, 3, 40, trained...)), 0.09)
	for _, left := range []string{"advection", "rayleigh_taylor"} {
		require.Greater(t, alarms(t, f, streams(t, 4, 10, left)), 0.8, left)
	}

	// Another unit or sign of a field changes nothing.
	w, err := streams(t, 3, 1, "diffusion")[0].Read(ctx, data.Span{Stride: 1, Frames: 6}, nil)
	require.NoError(t, err)
	score, nearest, err := f.Score(w)
	require.NoError(t, err)
	require.Equal(t, "diffusion", nearest)
	for _, frame := range w.Frames {
		for i := range frame {
			frame[i] *= -1e3
		}
	}
	again, _, err := f.Score(w)
	require.NoError(t, err)
	require.InEpsilon(t, score, again, 1e-3)

	// A file keeps the record.
	path := filepath.Join(t.TempDir(), "familiarity.json")
	require.NoError(t, f.Save(path))
	read, err := walrus.ReadFamiliarity(path)
	require.NoError(t, err)
	require.Equal(t, f, read)
}

// TestFamiliarityErrors: too few windows and unknown channels are errors that say what to do.
func TestFamiliarityErrors(t *testing.T) {
	ctx := context.Background()
	train, other := streams(t, 1, 3, "diffusion"), streams(t, 2, 3, "burgers")
	_, err := eval.RecordFamiliarity(ctx, train, train, eval.FamiliarityOptions{})
	require.ErrorContains(t, err, "expected at least 99 validation windows for a rate of 0.01, got 3")
	_, err = eval.RecordFamiliarity(ctx, train, other, eval.FamiliarityOptions{Rate: 0.5})
	require.ErrorContains(t, err, "expected validation data with the channels of a training data set")
	_, err = eval.RecordFamiliarity(ctx, append(train, train...), train, eval.FamiliarityOptions{Rate: 0.5})
	require.ErrorContains(t, err, "got diffusion twice")
	_, err = eval.RecordFamiliarity(ctx, nil, train, eval.FamiliarityOptions{})
	require.ErrorContains(t, err, "expected training and validation data sets")
	_, err = eval.RecordFamiliarity(ctx, train, train, eval.FamiliarityOptions{Rate: 2})
	require.ErrorContains(t, err, "expected a rate between 0 and 1")
	_, err = eval.RecordFamiliarity(ctx, train, train, eval.FamiliarityOptions{Input: 2, Rate: 0.5})
	require.ErrorContains(t, err, "expected windows of at least 3 frames, got 2")
}

// TestWindowFeatures: the features of a plane wave in closed form.
func TestWindowFeatures(t *testing.T) {
	const n, amplitude = 32, 0.5
	w := &data.Window{Grid: []int{n}, Boundaries: data.Boundaries{data.Both(data.Periodic)}, Fields: []data.Field{{Name: "density"}}}
	for k := range 4 {
		frame := make([]float32, n)
		for i := range frame {
			frame[i] = float32(2 + amplitude*math.Sin(2*math.Pi*float64(4*i-k)/n))
		}
		w.Frames = append(w.Frames, frame)
	}
	f, err := walrus.WindowFeatures(w)
	require.NoError(t, err)
	variance := amplitude * amplitude / 2.
	change := 4 * math.Pow(math.Sin(math.Pi/n), 2) // of unit variance
	require.InDelta(t, math.Log(variance/(variance+4))/2, f[0][0], 1e-5)
	require.InDelta(t, math.Log(change)/2, f[0][1], 1e-5)
	require.InDelta(t, 1-change/2, f[0][2], 1e-4)
	require.InDelta(t, math.Cos(8*math.Pi/n), f[0][3], 0.05)
	require.InDelta(t, math.Log(math.Pow(math.Sin(4*math.Pi/n), 4)), f[0][4], 0.05)
	require.InDelta(t, math.Log(1.5), f[0][5], 1e-5)
	require.InDelta(t, 0, f[0][6], 1e-5)
	require.InDelta(t, 0, f[0][7], 0.2, "a wave that moves")

	short, err := w.Slice(0, 1)
	require.NoError(t, err)
	f, err = walrus.WindowFeatures(short)
	require.NoError(t, err)
	require.True(t, math.IsNaN(f[0][1]) && math.IsNaN(f[0][2]))
	// A constant channel has only the first feature, a channel of zeros none.
	for k, value := range []float32{3, 0} {
		for _, frame := range w.Frames {
			for i := range frame {
				frame[i] = value
			}
		}
		f, err = walrus.WindowFeatures(w)
		require.NoError(t, err)
		for i, v := range f[0] {
			require.Equal(t, k > 0 || i > 0, math.IsNaN(v), "feature %d of a constant %v: %v", i, value, v)
		}
	}
}
