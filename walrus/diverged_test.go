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

// replacement replaces a channel of the forecasts at a step. All other values are those of
// the history's last frame.
type replacement struct {
	step, channel int
	value         func(p int, history []float32) float64
}

// between is the correction of a replacement, which may change between rollouts.
func (r *replacement) between(step int, history, frame *data.Window) error {
	last, points := history.Frames[len(history.Frames)-1], frame.Points()
	copy(frame.Frames[0], last)
	if step == r.step {
		from, to := r.channel*points, (r.channel+1)*points
		for p := range points {
			frame.Frames[0][from+p] = float32(r.value(p, last[from:to]))
		}
	}
	return nil
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
	var r replacement
	two := newEmulator(t, walrus.EmulatorOptions{Between: r.between, Divergence: walrus.Divergence{Factor: 2, Fields: map[string]float64{"density": 0}}})
	five := newEmulator(t, walrus.EmulatorOptions{Between: r.between, Divergence: walrus.Divergence{Factor: -1, Fields: map[string]float64{"velocity": 5}}})
	for _, c := range []struct {
		e       *walrus.Emulator
		channel int
		beyond  float64 // widths above the range, or below it if negative
		factor  float64 // that is exceeded, 0 for none
	}{
		{two, 2, 1.9, 0}, {two, 2, 2.1, 2}, {two, 2, -1.9, 0}, {two, 2, -2.1, 2}, {two, 1, 2.1, 2},
		{two, 0, 9.9, 0}, {two, 0, 10.1, 10}, {five, 0, 1e6, 0}, {five, 1, 4.9, 0}, {five, 1, 5.1, 5},
	} {
		t.Run(fmt.Sprint(c.channel, c.beyond, c.factor), func(t *testing.T) {
			low, high, _ := extentOf(plane(), 0, 1)
			if c.channel > 0 {
				low, high, _ = extentOf(plane(), 1, 2)
			}
			value := high + c.beyond*(high-low)
			if c.beyond < 0 {
				value = low + c.beyond*(high-low)
			}
			// A single point has little power, so that only the range is exceeded.
			r = replacement{2, c.channel, func(p int, past []float32) float64 {
				if p == 17 {
					return value
				}
				return float64(past[p])
			}}
			got, err := lastError(c.e.Rollout(context.Background(), plane(), 3))
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
			name := []string{"density", "velocity_x", "velocity_y"}[c.channel]
			require.Equal(t, name, diverged.Field)
			require.Equal(t, float32(value), diverged.Value)
			require.Equal(t, c.factor, diverged.Factor)
			require.ErrorContains(t, err, "walrus: window flow: step 2: the forecast of field "+name+" is ")
		})
	}
}

// TestDivergenceShortWaves: a wave of frequency f and mean square m has the power m·sin⁴(πf),
// and the rollout ends when it exceeds the factor times the variance of the history.
func TestDivergenceShortWaves(t *testing.T) {
	const factor = 3
	window := flow([]int{16, 32}, data.Boundaries{periodic, periodic}, 3)
	_, _, variance := extentOf(window, 0, 1)
	var r replacement
	e := newEmulator(t, walrus.EmulatorOptions{Between: r.between, Divergence: walrus.Divergence{Factor: factor}})
	for _, c := range []struct {
		points float64 // per wave, along the last axis
		share  float64 // of the limit
	}{{2, 1.05}, {2, 0.95}, {4, 1.05}, {4, 0.95}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			power := c.share * factor * variance
			square := power / math.Pow(math.Sin(math.Pi/c.points), 4)
			amplitude, phase := math.Sqrt(square), 0.0
			if c.points > 2 {
				amplitude, phase = math.Sqrt(2*square), math.Pi/4 // symmetric about the ends
			}
			r = replacement{1, 0, func(p int, _ []float32) float64 {
				return 1 + amplitude*math.Cos(2*math.Pi*float64(p%32)/c.points+phase)
			}}
			got, err := lastError(e.Rollout(context.Background(), window, 1))
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
	var r replacement
	e := newEmulator(t, walrus.EmulatorOptions{Between: r.between, Divergence: walrus.Divergence{Factor: 1}})
	_, err := lastError(e.Rollout(context.Background(), w, 2))
	require.NoError(t, err)
	r = replacement{1, 0, func(int, []float32) float64 { return 2001 }}
	_, err = lastError(e.Rollout(context.Background(), w, 1))
	var diverged *walrus.DivergedError
	require.ErrorAs(t, err, &diverged)
	require.Zero(t, diverged.Low)
	require.InDelta(t, 1000.3, diverged.High, 0.01)
}

// TestDivergenceScales: fields that are 0 in the history are not checked. The magnitude is the
// scale of constant fields, and the default factor is 10.
func TestDivergenceScales(t *testing.T) {
	var r replacement
	e := newEmulator(t, walrus.EmulatorOptions{Between: r.between})
	for constant, limit := range map[float32]float64{0: math.Inf(1), -2: 18} {
		w := plane()
		for _, f := range w.Frames {
			for p := range 320 {
				f[p] = constant
			}
		}
		for _, value := range []float64{17.9, 18.1, 1e9} {
			r = replacement{1, 0, func(int, []float32) float64 { return value }}
			_, err := lastError(e.Rollout(context.Background(), w, 1))
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
