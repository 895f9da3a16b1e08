package eval

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestBandIntervals: the bounds of white noise are the quantiles of its chi-squared power, and
// bounds cover other runs as stated. With 4,000 runs for the calibration and for the test, two
// points are three standard errors.
func TestBandIntervals(t *testing.T) {
	const runs, steps, bands = 4000, 2, 4
	c := &walrus.Calibration{FormatVersion: 1}
	o := CalibrateOptions{Steps: steps, Input: 2, Windows: runs, Levels: []float64{0.5, 0.9}, Bands: bands}
	require.NoError(t, calibrate(context.Background(), noisy(t, 5, runs, steps), still, c, o))
	require.NoError(t, c.Validate())
	text, err := json.Marshal(c)
	require.NoError(t, err)
	read := new(walrus.Calibration)
	require.NoError(t, json.Unmarshal(text, read))
	require.Equal(t, c, read)
	require.Equal(t, SpectrumEdges([]int{24}, bands), c.Edges)

	modes := make([]int, bands) // real degrees of freedom
	for k := 1; k <= 12; k++ {
		b := 0
		for b < bands-1 && float64(k)/24 >= c.Edges[b+1] {
			b++
		}
		modes[b] += 2
		if k == 12 {
			modes[b]--
		}
	}
	scale := 2 * math.Sin(math.Pi/24) * math.Sqrt(0.5)
	for s, levels := range c.Fields["wave"].Bands {
		for l, row := range levels {
			for b, r := range row {
				chi := distuv.ChiSquared{K: float64(modes[b])}
				want := 0.1 * float64(s+1) * math.Sqrt(chi.Quantile(c.Levels[l])/24) / scale
				require.InEpsilon(t, want, r, 0.05, "step %d level %v band %d", s+1, c.Levels[l], b)
			}
		}
		require.Equal(t, [][]float64{{0, 0, 0, 0}, {0, 0, 0, 0}}, c.Fields["flat"].Bands[s])
	}

	test := noisy(t, 6, runs, steps)
	var inside, power [steps][bands]float64
	for i := range runs {
		w, err := test.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: 2 + steps}, nil)
		require.NoError(t, err)
		history, err := w.Slice(0, 2)
		require.NoError(t, err)
		for s := range steps {
			forecast, truth := history.Frames[1], w.Frames[2+s]
			list, err := BandIntervals(c, history, s+1, forecast, 0.9)
			require.NoError(t, err)
			diff := make([]float32, 24)
			for p := range diff {
				diff[p] = forecast[p] - truth[p]
			}
			e, err := PowerSpectrum(diff, w.Grid, bands)
			require.NoError(t, err)
			u, err := PowerSpectrum(truth[:24], w.Grid, bands)
			require.NoError(t, err)
			for b := range bands {
				if math.Sqrt(e.Power[b]) <= list[0].Error[b] {
					inside[s][b] += 1. / runs
				}
				if u.Power[b] >= list[0].Lower[b] && u.Power[b] <= list[0].Upper[b] {
					power[s][b] += 1. / runs
				}
			}
		}
	}
	for s := range steps {
		for b := range bands {
			require.InDelta(t, 0.9, inside[s][b], 0.02, "step %d band %d", s+1, b)
			require.GreaterOrEqual(t, power[s][b], inside[s][b], "step %d band %d", s+1, b)
		}
	}
}

// TestBandIntervalsErrors: bounds that the calibration lacks are errors that say what it has.
func TestBandIntervalsErrors(t *testing.T) {
	ds := noisy(t, 5, 20, 2)
	c, none := &walrus.Calibration{FormatVersion: 1}, &walrus.Calibration{FormatVersion: 1}
	o := CalibrateOptions{Steps: 2, Input: 2, Levels: []float64{0.5}}
	require.NoError(t, calibrate(context.Background(), ds, still, none, o))
	require.Nil(t, none.Fields["wave"].Bands)
	o.Bands = 3
	require.NoError(t, calibrate(context.Background(), ds, still, c, o))
	w, err := ds.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
	require.NoError(t, err)
	other, renamed := *w, *w
	other.Grid = []int{12, 2}
	other.Boundaries = append(data.Boundaries{w.Boundaries[0]}, w.Boundaries...)
	renamed.Fields = []data.Field{{Name: "heat"}, {Name: "flat"}}
	for want, x := range map[string]struct {
		c     *walrus.Calibration
		w     *data.Window
		step  int
		level float64
	}{
		"expected a calibration with frequency bands":                  {none, w, 1, 0.5},
		"expected a grid whose longest axis has the length":            {c, &other, 1, 0.5},
		"level 0.9: expected one of [0.5]":                             {c, w, 1, 0.9},
		"step 3: channel wave: not calibrated: expected a channel":     {c, w, 3, 0.5},
		"channel heat: not calibrated: expected a channel of the cali": {c, &renamed, 1, 0.5},
	} {
		_, err := BandIntervals(x.c, x.w, x.step, w.Frames[1], x.level)
		require.ErrorIs(t, err, walrus.ErrNotCalibrated)
		require.ErrorContains(t, err, want)
	}
	_, err = BandIntervals(c, w, 1, w.Frames[1][:5], 0.5)
	require.ErrorContains(t, err, "expected 48 values, got 5")
	f := c.Fields["wave"]
	f.Bands = f.Bands[:1]
	c.Fields["wave"] = f
	require.ErrorContains(t, c.Validate(), "field wave: bands: expected bounds for 2 steps")
	o.Bands = -1
	require.ErrorContains(t, calibrate(context.Background(), ds, still, none, o), "expected 0 to 16777216 frequency bands, got -1")
}
