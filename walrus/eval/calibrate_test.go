package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// noisy returns a data set of waves with additive normal noise whose deviation is 0.1·k at
// step k after two frames of history. The noise is independent, so that all windows from the
// start of trajectories are exchangeable.
func noisy(t *testing.T, seed uint64, trajectories, steps int) data.Dataset {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var list []*data.Window
	for range trajectories {
		w := &data.Window{Name: "noisy", Grid: []int{24}, Boundaries: data.Boundaries{data.Both(data.Periodic)}, Fields: []data.Field{{Name: "wave"}, {Name: "flat"}}}
		for f := range 2 + steps {
			frame := make([]float32, 48)
			for x := range 24 {
				frame[x] = float32(math.Cos(2*math.Pi*float64(x-min(f, 1))/24) + 0.1*float64(max(f-1, 0))*rng.NormFloat64())
			}
			w.Frames = append(w.Frames, frame)
		}
		list = append(list, w)
	}
	ds, err := data.NewMemory("noisy", list)
	require.NoError(t, err)
	return ds
}

func still(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
	return Persistence(w.Frames, steps)
}

// TestCalibrate: the radii of normal errors are their quantiles, and intervals cover other
// trajectories as stated.
func TestCalibrate(t *testing.T) {
	const steps = 4
	c := &walrus.Calibration{FormatVersion: 1}
	frames := 0
	require.NoError(t, calibrate(context.Background(), noisy(t, 1, 400, steps), still, c, CalibrateOptions{Steps: steps, Input: 2, Windows: 500,
		Progress: func(done, total int) { frames = done; require.Equal(t, 400*steps, total) }}))
	require.Equal(t, 400*steps, frames)
	require.NoError(t, c.Validate())
	require.Equal(t, []float64{0.5, 0.8, 0.9, 0.95}, c.Levels)
	require.Equal(t, "trajectory", c.Unit)
	require.Equal(t, []int{400, 400, 2, steps}, []int{c.Units, c.Windows, c.History, c.Steps()})
	// The wave moves by one point between the two frames of history.
	scale := 2 * math.Sin(math.Pi/24) * math.Sqrt(0.5)
	for s, row := range c.Fields["wave"].Radius {
		sigma := 0.1 * float64(s+1) / scale
		for l, r := range row {
			want := sigma * distuv.UnitNormal.Quantile((1+c.Levels[l])/2)
			// Half a percent of the bins, and five standard errors of the quantile of 9600
			// values, at most 1.3 % each.
			require.InEpsilon(t, want, r, 0.07, "step %d level %v", s+1, c.Levels[l])
		}
		require.Equal(t, []float64{0, 0, 0, 0}, c.Fields["flat"].Radius[s])
		// RMSE over the deviation of wave and noise, over the 24 points.
		noise := 0.1 * float64(s+1)
		require.InEpsilon(t, noise/math.Sqrt(0.5*24/23+noise*noise), c.Fields["wave"].VRMSE[s], 0.03)
	}
	require.Nil(t, c.Fields["flat"].VRMSE)

	test := noisy(t, 2, 300, steps)
	for _, level := range []float64{0.8, 0.9} {
		inside := make([]float64, steps)
		for i := range test.Trajectories() {
			w, err := test.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: 2 + steps}, nil)
			require.NoError(t, err)
			history, err := w.Slice(0, 2)
			require.NoError(t, err)
			for s := range steps {
				interval, err := c.Interval(history, s+1, history.Frames[1], level)
				require.NoError(t, err)
				coverage, _, err := IntervalCoverage(interval.Lower[:24], interval.Upper[:24], w.Frames[2+s][:24])
				require.NoError(t, err)
				inside[s] += coverage / 300
			}
		}
		for s, v := range inside {
			require.InDelta(t, level, v, 0.02, "step %d", s+1)
		}
	}
}

// TestRadius compares with the definition: the smallest radius whose expected loss over the
// units and one more, which is lost, is at most 1−level. Bins make it at most 0.5 % larger.
func TestRadius(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 9, 19, 40} {
		const points = 7
		table := newErrorTable([]string{"u"}, 1, 0)
		cell := &table.cells[0][0]
		scores := make([][]float64, n)
		var all []float64
		for u := range scores {
			pred, ref := make([]float32, points), make([]float32, points)
			for i := range ref {
				ref[i] = float32(rng.NormFloat64())
				scores[u] = append(scores[u], math.Abs(float64(ref[i]))/0.3)
			}
			all = append(all, scores[u]...)
			require.NoError(t, cell.addField(pred, ref, 0.3, DefaultEps, 1))
		}
		slices.Sort(all)
		for _, level := range []float64{0.3, 0.5, 0.9, 0.95} {
			want := math.Inf(1)
			for _, r := range all {
				loss := 1.0
				for _, unit := range scores {
					for _, s := range unit {
						if s > r {
							loss += 1. / points
						}
					}
				}
				if loss/float64(n+1) <= 1-level+1e-12 {
					want = r
					break
				}
			}
			got := cell.points.radius(level, n)
			if math.IsInf(want, 1) {
				require.True(t, math.IsInf(got, 1), "n %d level %v", n, level)
				require.Less(t, n, needs(level))
				continue
			}
			require.GreaterOrEqual(t, n, needs(level))
			require.GreaterOrEqual(t, got, want*(1-1e-12))
			require.LessOrEqual(t, got, want*1.005)
		}
	}
}

// TestCalibrateDiverged: forecasts that diverge are outside every interval.
func TestCalibrateDiverged(t *testing.T) {
	calls := 0
	sometimes := func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		frames, err := still(ctx, w, steps)
		if calls++; calls%5 == 0 {
			return frames[:2], fmt.Errorf("window: %w", walrus.ErrDiverged)
		}
		return frames, err
	}
	c := &walrus.Calibration{FormatVersion: 1}
	o := CalibrateOptions{Steps: 3, Input: 2, Levels: []float64{0.5, 0.9}}
	require.NoError(t, calibrate(context.Background(), noisy(t, 1, 20, 3), sometimes, c, o))
	f := c.Fields["wave"]
	for s := range 2 {
		require.False(t, math.IsInf(f.Radius[s][1], 1) || math.IsInf(f.VRMSE[s], 1))
	}
	require.False(t, math.IsInf(f.Radius[2][0], 1), "four fifths are inside")
	require.True(t, math.IsInf(f.Radius[2][1], 1), "a fifth is outside")
	require.True(t, math.IsInf(f.VRMSE[2], 1))
}

// TestCalibrateUnits: windows count if there are too few trajectories.
func TestCalibrateUnits(t *testing.T) {
	c := &walrus.Calibration{FormatVersion: 1}
	ds := moving(t, 30, 30)
	require.NoError(t, calibrate(context.Background(), ds, still, c, CalibrateOptions{Steps: 3, Input: 2, Windows: 12}))
	require.Equal(t, "window", c.Unit)
	require.Equal(t, []int{12, 12}, []int{c.Units, c.Windows})
	require.Equal(t, []float64{0.5, 0.8, 0.9}, c.Levels, "0.95 needs 19 windows")
	require.NoError(t, calibrate(context.Background(), ds, still, c, CalibrateOptions{Steps: 3, Input: 2, Windows: 12, Levels: []float64{0.6}}))
	require.Equal(t, "trajectory", c.Unit, "0.6 needs two units")
	require.Equal(t, []int{2, 12}, []int{c.Units, c.Windows})
}

func TestCalibrateErrors(t *testing.T) {
	_, err := Calibrate(context.Background(), moving(t, 9), nil, CalibrateOptions{})
	require.ErrorContains(t, err, "expected an emulator, got nil")
	fails := func(context.Context, *data.Window, int) ([][]float32, error) { return nil, errors.New("no") }
	few := func(_ context.Context, w *data.Window, _ int) ([][]float32, error) { return w.Frames[:1], nil }
	for want, o := range map[string]CalibrateOptions{
		"got at most 9 frames in all: calibrate fewer steps (here up to 7)":       {},
		"expected 1 to 16777216 steps, got -1":                                    {Steps: -1},
		"expected at least 9 windows for levels [0.9], got 5":                     {Steps: 3, Levels: []float64{0.9}},
		"levels: expected ascending probabilities between 0 and 1, got [0.9 0.5]": {Steps: 3, Levels: []float64{0.9, 0.5}},
		"eval: calibrate: moving: no":                                             {Steps: 3},
	} {
		o.Input = 2
		require.ErrorContains(t, calibrate(context.Background(), moving(t, 9), fails, &walrus.Calibration{}, o), want)
	}
	require.ErrorContains(t, calibrate(context.Background(), moving(t, 9), few, &walrus.Calibration{}, CalibrateOptions{Steps: 3, Input: 2}), "expected a forecast of 3 frames, got 1")
	for _, err := range Intervals(nil)(context.Background(), nil, 1) {
		require.ErrorContains(t, err, "expected an emulator with a calibration")
	}
}
