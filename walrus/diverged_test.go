package walrus_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// replaced returns options whose forecasts of the given step have the given channel
// replaced.
func replaced(at, channel int, value func(p int, history []float32) float64) walrus.EmulatorOptions {
	return walrus.EmulatorOptions{Between: func(step int, history, frame *data.Window) error {
		points := frame.Points()
		last := history.Frames[len(history.Frames)-1]
		copy(frame.Frames[0], last)
		if step == at {
			u, past := frame.Frames[0][channel*points:(channel+1)*points], last[channel*points:(channel+1)*points]
			for p := range u {
				u[p] = float32(value(p, past))
			}
		}
		return nil
	}}
}

// extentOf computes low, high and variance of a field with the given number of components
// that starts at a channel, as the definition is written.
func extentOf(w *data.Window, channel, components int) (low, high, variance float64) {
	points := w.Points()
	low, high = math.Inf(1), math.Inf(-1)
	for c := channel; c < channel+components; c++ {
		own := 0.0
		for _, frame := range w.Frames {
			u := frame[c*points : (c+1)*points]
			mean := 0.0
			for _, v := range u {
				low, high = min(low, float64(v)), max(high, float64(v))
				mean += float64(v) / float64(points)
			}
			for _, v := range u {
				own += math.Pow(float64(v)-mean, 2) / float64(points*len(w.Frames))
			}
		}
		variance = max(variance, own)
	}
	return low, high, variance
}

// TestDivergenceRange: a value beyond the range of its field's history by more than the
// factor ends the rollout, whichever component and end it is; one within it does not.
func TestDivergenceRange(t *testing.T) {
	low, high, _ := extentOf(plane(), 1, 2)
	width := high - low
	for _, c := range []struct {
		divergence walrus.Divergence
		value      float64
		factor     float64 // that is exceeded, 0 for none
	}{
		{walrus.Divergence{}, high + 9.9*width, 0},
		{walrus.Divergence{}, high + 10.1*width, 10},
		{walrus.Divergence{}, low - 10.1*width, 10},
		{walrus.Divergence{Factor: 2}, low - 1.9*width, 0},
		{walrus.Divergence{Factor: 2}, low - 2.1*width, 2},
		{walrus.Divergence{Factor: -1}, high + 1e6*width, 0},
		{walrus.Divergence{Factor: 2, Fields: map[string]float64{"velocity": 100}}, high + 90*width, 0},
		{walrus.Divergence{Factor: 2, Fields: map[string]float64{"velocity": 0}}, high + 11*width, 10},
		{walrus.Divergence{Fields: map[string]float64{"velocity": -1}}, high + 90*width, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			o := replaced(2, 2, func(p int, past []float32) float64 {
				if p == 17 {
					return c.value
				}
				return float64(past[p])
			})
			o.Divergence = c.divergence
			// A single point has little power, so that only the range is exceeded.
			got, err := lastError(newEmulator(t, o).Rollout(context.Background(), plane(), 3))
			if c.factor == 0 {
				require.NoError(t, err)
				return
			}
			require.Len(t, got, 1)
			var diverged *walrus.DivergedError
			require.ErrorAs(t, err, &diverged)
			require.ErrorIs(t, err, walrus.ErrDiverged)
			require.InDelta(t, low, diverged.Low, 1e-6)
			require.InDelta(t, high, diverged.High, 1e-6)
			require.Equal(t, walrus.OutOfRange, diverged.Kind)
			require.Equal(t, 2, diverged.Step)
			require.Equal(t, "velocity_y", diverged.Field)
			require.Equal(t, float32(c.value), diverged.Value)
			require.Equal(t, c.factor, diverged.Factor)
			require.ErrorContains(t, err, "walrus: window flow: step 2: the forecast of field velocity_y is ")
		})
	}
}

// TestDivergenceShortWaves: a wave of frequency f and mean square m has the power m·sin⁴(πf),
// and the rollout ends when it exceeds the factor times the variance of the history.
func TestDivergenceShortWaves(t *testing.T) {
	window := flow([]int{16, 32}, data.Boundaries{periodic, periodic}, 3)
	_, _, variance := extentOf(window, 0, 1)
	for _, c := range []struct {
		points float64 // per wave, along the last axis
		share  float64 // of the limit
	}{{2, 1.05}, {2, 0.95}, {4, 1.05}, {4, 0.95}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			const factor = 3
			power := c.share * factor * variance
			square := power / math.Pow(math.Sin(math.Pi/c.points), 4)
			amplitude := math.Sqrt(2 * square)
			if c.points == 2 {
				amplitude = math.Sqrt(square)
			}
			o := replaced(1, 0, func(p int, past []float32) float64 {
				phase := 0.0
				if c.points != 2 {
					phase = math.Pi / 4 // symmetric about the first and last interior points
				}
				return 1 + amplitude*math.Cos(2*math.Pi*float64(p%32)/c.points+phase)
			})
			o.Divergence.Factor = factor
			got, err := lastError(newEmulator(t, o).Rollout(context.Background(), window, 1))
			if c.share < 1 {
				require.NoError(t, err)
				require.Len(t, got, 1)
				return
			}
			var diverged *walrus.DivergedError
			require.ErrorAs(t, err, &diverged)
			require.Equal(t, walrus.ShortWaves, diverged.Kind)
			require.InEpsilon(t, power, diverged.Power, 1e-3)
			require.InEpsilon(t, variance, diverged.Variance, 1e-4)
			require.ErrorContains(t, err, "the shortest waves of the forecast of field density have a mean square of ")
		})
	}
}

// TestDivergenceMask: solid points, whose forecast is 0, neither widen nor leave the range.
func TestDivergenceMask(t *testing.T) {
	w := withMask(plane())
	points := w.Points()
	for _, f := range w.Frames { // density within 1000 ± 0.3, and 1e6 in the solid
		for p := range points {
			f[p] += 999
			if w.Constants[p] != 0 {
				f[p] = 1e6
			}
		}
	}
	same := replaced(0, 0, nil)
	same.Divergence.Factor = 1
	_, err := lastError(newEmulator(t, same).Rollout(context.Background(), w, 2))
	require.NoError(t, err)
	o := replaced(1, 0, func(p int, past []float32) float64 { return 2e4 })
	_, err = lastError(newEmulator(t, o).Rollout(context.Background(), w, 1))
	var diverged *walrus.DivergedError
	require.ErrorAs(t, err, &diverged)
	require.Zero(t, diverged.Low)
	require.InDelta(t, 1000.3, diverged.High, 0.01)
}

// TestDivergenceScales: fields that are 0 in the history are not checked, constant ones by
// their magnitude.
func TestDivergenceScales(t *testing.T) {
	for constant, limit := range map[float32]float64{0: math.Inf(1), -2: 18} {
		w := plane()
		for _, f := range w.Frames {
			for p := range 320 {
				f[p] = constant
			}
		}
		for _, value := range []float64{17.9, 18.1, 1e9} {
			o := replaced(1, 0, func(int, []float32) float64 { return value })
			_, err := lastError(newEmulator(t, o).Rollout(context.Background(), w, 1))
			if value > limit {
				require.ErrorIs(t, err, walrus.ErrDiverged)
			} else {
				require.NoError(t, err)
			}
		}
	}
	require.ErrorContains(t, walrus.Divergence{Factor: math.NaN()}.Validate(), "got NaN")
	require.ErrorContains(t, walrus.Divergence{Fields: map[string]float64{"density": math.NaN()}}.Validate(), "field density")
}
