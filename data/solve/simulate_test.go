package solve

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// TestSimulate: the data set of every system opens and has its fields, boundaries,
// parameters and statistics.
func TestSimulate(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			o := Options{System: s, Out: t.TempDir(), Train: 2, Test: 1, Frames: 3, Interval: s.Interval / 10, Grid: same(len(s.Grid), 8), Seed: 5}
			for _, p := range s.Parameters {
				if p.Name == "spin_up" { // ends before the first frame
					o.Fixed = map[string]float64{"spin_up": 0.1}
				}
			}
			last := 0
			o.Progress = func(done, total int) {
				assert.Equal(t, last+1, done)
				assert.Equal(t, 9, total)
				last = done
			}
			dir, err := Simulate(context.Background(), o)
			require.NoError(t, err)
			assert.Equal(t, 9, last)
			splits, err := well.Splits(dir)
			require.NoError(t, err)
			assert.Equal(t, []string{"test", "train"}, splits)
			ds, err := well.Open(dir, well.Options{Split: "train"})
			require.NoError(t, err)
			defer ds.Close()
			require.NoError(t, ds.Check(context.Background(), nil))
			assert.NotNil(t, ds.Statistics())
			assert.Equal(t, s.Boundaries, ds.Files()[0].Boundaries)
			assert.ElementsMatch(t, s.Fields, ds.Metadata().Fields)
			assert.ElementsMatch(t, s.parameterNames(), ds.Metadata().ConstantScalars)
			w, err := ds.Read(context.Background(), data.Span{Trajectory: 1, Stride: 1, Frames: 3}, nil)
			require.NoError(t, err)
			require.NoError(t, w.Validate())
			for i, p := range s.Parameters {
				if v := float64(w.Scalars[i].Values[0]); p.Name != "spin_up" {
					assert.True(t, v >= p.Low && v <= p.High, "%s is %v", p.Name, v)
				}
			}
		})
	}
}

// TestSimulateRepeats: a seed gives the same files, byte for byte, for any number of
// workers; other seeds and splits differ.
func TestSimulateRepeats(t *testing.T) {
	s, err := Lookup("gray_scott")
	require.NoError(t, err)
	run := func(workers int, seed uint64) (sums [2][32]byte) {
		dir, err := Simulate(context.Background(), Options{System: s, Out: t.TempDir(), Train: 5, Valid: 5, Frames: 2, Grid: []int{8, 8}, Seed: seed, Workers: workers})
		require.NoError(t, err)
		for i, split := range []string{"train", "valid"} {
			b, err := os.ReadFile(filepath.Join(dir, "data", split, "gray_scott.hdf5"))
			require.NoError(t, err)
			sums[i] = sha256.Sum256(b)
		}
		return sums
	}
	one := run(1, 3)
	assert.Equal(t, one, run(4, 3))
	assert.NotEqual(t, one, run(4, 4))
	assert.NotEqual(t, one[0], one[1])
}

// TestSimulateLeavesNothing: Simulate leaves no file if it is cancelled, fails or refuses.
func TestSimulateLeavesNothing(t *testing.T) {
	s, err := Lookup("diffusion")
	require.NoError(t, err)
	files := func(dir string) (names []string) {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names = append(names, path)
			}
			return nil
		})
		return names
	}
	ctx, cancel := context.WithCancel(context.Background())
	out := t.TempDir()
	_, err = Simulate(ctx, Options{System: s, Out: out, Train: 50, Frames: 20, Grid: []int{8, 8}, Progress: func(done, _ int) {
		if done == 30 {
			cancel()
		}
	}})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, files(out))

	broken := *s
	broken.start = func(Setup) (Run, error) { return nil, errors.New("no solution") }
	_, err = Simulate(context.Background(), Options{System: &broken, Out: out, Train: 2, Seed: 9})
	assert.ErrorContains(t, err, "solve: split train trajectory 0 (seed 9): diffusion: no solution")
	assert.Empty(t, files(out))

	o := Options{System: s, Out: out, Valid: 1, Frames: 2, Grid: []int{8, 8}}
	_, err = Simulate(context.Background(), o)
	require.NoError(t, err)
	_, err = Simulate(context.Background(), o)
	assert.ErrorContains(t, err, "the file exists")
	assert.Len(t, files(out), 1)
	for want, o := range map[string]Options{
		"expected a system, got none":                                        {},
		"expected trajectories, frames and a time between them, got [0 0 0]": {System: s},
		`unknown parameter "mass"`:                                           {System: s, Train: 1, Fixed: map[string]float64{"mass": 1}},
		"expected a finite number, got NaN":                                  {System: s, Train: 1, Fixed: map[string]float64{"diffusivity": math.NaN()}},
		"expected an even number of at least 8":                              {System: s, Train: 1, Out: t.TempDir(), Grid: []int{8, 7}},
	} {
		_, err := Simulate(context.Background(), o)
		assert.ErrorContains(t, err, want)
	}
}
