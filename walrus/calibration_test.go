package walrus_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// calibrated returns a calibration of the fields of flow over three steps, for e.
func calibrated(e *walrus.Emulator) *walrus.Calibration {
	c := e.NewCalibration()
	c.Dataset, c.Unit, c.Units, c.Windows, c.History = "flows", "trajectory", 40, 40, 3
	c.Levels = []float64{0.5, 0.9}
	c.Fields = map[string]walrus.ChannelCalibration{
		"density":    {Radius: [][]float64{{1, 2}, {2, 3}, {3, math.Inf(1)}}, VRMSE: []float64{0.1, 0.2, math.Inf(1)}},
		"velocity_x": {Radius: [][]float64{{1, 4}, {2, 5}, {3, 6}}, VRMSE: []float64{0.2, 0.4, 0.5}},
		"velocity_y": {Radius: [][]float64{{0, 0}, {0, 0}, {0, 0}}},
	}
	return c
}

// TestCalibrationInterval: the interval is the frame plus and minus radius times scale.
func TestCalibrationInterval(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	c, w := calibrated(e), plane()
	require.NoError(t, c.Validate())
	scales, err := walrus.FieldScales(w)
	require.NoError(t, err)
	// The changes of the density, and of both components of the velocity together.
	change := func(from, to int) float64 {
		sum := 0.0
		for t := 1; t < 3; t++ {
			for i := from; i < to; i++ {
				sum += math.Pow(float64(w.Frames[t][i])-float64(w.Frames[t-1][i]), 2) / float64(2*(to-from))
			}
		}
		return math.Sqrt(sum)
	}
	require.InDeltaSlice(t, []float64{change(0, 320), change(320, 960), change(320, 960)}, scales, 1e-9)
	values := noiseOf(1, 960)
	i, err := c.Interval(w, 2, values, 0.9)
	require.NoError(t, err)
	for p, v := range values {
		r := []float64{3, 5, 0}[p/320] * scales[p/320]
		require.InDelta(t, float64(v)-r, i.Lower[p], 1e-6)
		require.InDelta(t, float64(v)+r, i.Upper[p], 1e-6)
	}
	for want, f := range map[string]func() error{
		"level 0.8: expected one of [0.5 0.9]":        func() error { _, err := c.Interval(w, 1, values, 0.8); return err },
		"step 4: not calibrated: expected a step fro": func() error { _, err := c.Interval(w, 4, values, 0.5); return err },
		"channel density: no finite interval":         func() error { _, err := c.Interval(w, 3, values, 0.9); return err },
		"channel pressure: not calibrated": func() error {
			other := plane()
			other.Fields[0].Name = "pressure"
			_, err := c.Interval(other, 1, values, 0.9)
			return err
		},
	} {
		err := f()
		require.ErrorIs(t, err, walrus.ErrNotCalibrated)
		require.ErrorContains(t, err, want)
	}
	_, err = c.Interval(w, 1, values[:3], 0.9)
	require.ErrorContains(t, err, "expected 960 values, got 3")

	still := plane()
	still.Frames = still.Frames[:1]
	scales, err = walrus.FieldScales(still)
	require.NoError(t, err)
	_, _, variance := extentOf(still, 0, 1)
	require.InDelta(t, 1e-3*math.Sqrt(variance), scales[0], 1e-9, "one frame has no changes")
}

func TestTrustHorizon(t *testing.T) {
	c := calibrated(newEmulator(t, walrus.EmulatorOptions{}))
	for _, x := range []struct {
		bound    float64
		channels []string
		want     int
	}{
		{0.1, nil, 0}, {0.16, nil, 1}, {0.31, nil, 2}, {100, nil, 2}, {0.45, []string{"velocity_x"}, 2}, {0.6, []string{"velocity_x"}, 3},
	} {
		got, err := c.TrustHorizon(x.bound, x.channels...)
		require.NoError(t, err)
		require.Equal(t, x.want, got, "%v", x)
	}
	for _, name := range []string{"pressure", "velocity_y"} {
		_, err := c.TrustHorizon(1, name)
		require.ErrorIs(t, err, walrus.ErrNotCalibrated)
	}
	_, err := c.TrustHorizon(0)
	require.ErrorContains(t, err, "expected a bound above 0, got 0")
}

// TestCalibrationEmulator: an emulator with a calibration yields intervals, as long as there
// are any, and the same frames as without.
func TestCalibrationEmulator(t *testing.T) {
	ctx, w, weights := context.Background(), plane(), livelyWeights(t, smallConfig())
	emulator := func(o walrus.EmulatorOptions) (*walrus.Emulator, error) {
		o.Backend = testbackend.New(t)
		return walrus.NewEmulator(weights, o)
	}
	plain, err := emulator(walrus.EmulatorOptions{Seed: 1})
	require.NoError(t, err)
	c := calibrated(plain)
	var log bytes.Buffer
	e, err := emulator(walrus.EmulatorOptions{Seed: 1, Calibration: c, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.Same(t, c, e.Calibration())
	want := collect(t, plain.Rollout(ctx, w, 4))
	for frame, err := range e.Rollout(ctx, w, 4) {
		require.NoError(t, err)
		require.Equal(t, want[frame.Step-1], frame.Values)
		if frame.Step > 2 {
			require.Nil(t, frame.Interval)
			continue
		}
		i, err := c.Interval(w, frame.Step, frame.Values, 0.9)
		require.NoError(t, err)
		require.Equal(t, i, frame.Interval)
	}
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("no intervals from this step on")), "%s", &log)

	for want, o := range map[string]walrus.EmulatorOptions{
		"expected one of an emulator with these settings (ensemble 2), got \"ensemble 1\"":      {Calibration: c, Ensemble: 2},
		"with these settings (ensemble 1, cache of 0 frames refreshed after 3, no jitter), got": {Calibration: c, JitterOff: true, Cache: &walrus.Cache{}},
		"level: expected one of the calibration's levels [0.5 0.9], got 0.7":                    {Calibration: c, Level: 0.7},
		"calibration: expected format 1, got 0":                                                 {Calibration: &walrus.Calibration{}},
	} {
		_, err := emulator(o)
		require.ErrorContains(t, err, want)
	}
}

// TestCalibrationLoad: Load reads the file next to the weights. It leaves out one that was
// made with other settings or weights, and refuses one that it cannot read.
func TestCalibrationLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoint")
	save := func(seed uint64) {
		w, err := walrus.InitWeights(smallConfig(), seed)
		require.NoError(t, err)
		defer w.Close()
		require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	}
	load := func(o walrus.EmulatorOptions) (*walrus.Calibration, string) {
		var log bytes.Buffer
		o.Backend, o.Log = testbackend.New(t), slog.New(slog.NewTextHandler(&log, nil))
		e, err := walrus.Load(dir, o)
		require.NoError(t, err)
		defer e.Close()
		if e.Calibration() == nil && o.Level == 0 && o.Ensemble == 0 {
			require.NoError(t, calibrated(e).Save(dir))
		}
		return e.Calibration(), log.String()
	}
	save(1)
	c, log := load(walrus.EmulatorOptions{})
	require.Nil(t, c)
	require.NotContains(t, log, "intervals")
	c, _ = load(walrus.EmulatorOptions{})
	require.NotNil(t, c)
	require.Len(t, c.WeightsSHA256, 64)
	again, err := walrus.ReadCalibration(dir)
	require.NoError(t, err)
	require.Equal(t, c, again)
	require.True(t, math.IsInf(again.Fields["density"].Radius[2][1], 1))
	require.Nil(t, again.Fields["velocity_y"].VRMSE)
	c, log = load(walrus.EmulatorOptions{Ensemble: 2})
	require.Nil(t, c)
	require.Contains(t, log, "forecasts have no intervals")
	c, log = load(walrus.EmulatorOptions{Level: 0.7})
	require.Nil(t, c)
	require.Contains(t, log, "levels [0.5 0.9], got 0.7")

	save(2)
	require.FileExists(t, filepath.Join(dir, walrus.CalibrationFile), "a save keeps the file")
	e, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer e.Close()
	require.Nil(t, e.Calibration(), "of other weights")

	require.NoError(t, os.WriteFile(filepath.Join(dir, walrus.CalibrationFile), []byte("{"), 0o666))
	_, err = walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.ErrorContains(t, err, walrus.CalibrationFile)
}

func TestCalibrationErrors(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	for want, change := range map[string]func(c *walrus.Calibration){
		"expected format 1, got 2":                                  func(c *walrus.Calibration) { c.FormatVersion = 2 },
		"expected at least one level and one field":                 func(c *walrus.Calibration) { c.Fields = nil },
		"expected ascending levels between 0 and 1, got [0.9 0.5]":  func(c *walrus.Calibration) { c.Levels = []float64{0.9, 0.5} },
		"step 1: expected a radius for each of 1 levels, got 2":     func(c *walrus.Calibration) { c.Levels = []float64{0.9} },
		"radii and errors of one number of steps, at least 1, got ": func(c *walrus.Calibration) { c.Fields["density"] = walrus.ChannelCalibration{} },
		"expected radii that do not fall with the level, got [2 1]": func(c *walrus.Calibration) {
			c.Fields["density"] = walrus.ChannelCalibration{Radius: [][]float64{{2, 1}}}
		},
		"expected a VRMSE of at least 0, got NaN": func(c *walrus.Calibration) {
			c.Fields["density"] = walrus.ChannelCalibration{Radius: [][]float64{{1, 1}}, VRMSE: []float64{math.NaN()}}
		},
	} {
		c := calibrated(e)
		change(c)
		require.ErrorContains(t, c.Validate(), want)
		require.ErrorContains(t, c.Save(filepath.Join(t.TempDir(), "c.json")), want)
	}
	_, err := walrus.ReadCalibration(filepath.Join(t.TempDir(), "none.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = walrus.FieldScales(&data.Window{})
	require.Error(t, err)
}
