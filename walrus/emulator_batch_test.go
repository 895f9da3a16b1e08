package walrus_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestEmulatorBatch: draws that pass the network together give the same forecast as one by
// one. It covers averages of draws, ensembles, both together, a mask, the statistics of
// a data set and a cache.
func TestEmulatorBatch(t *testing.T) {
	w := livelyWeights(t, smallConfig())
	window := withMask(plane())
	one := map[string][]float64{"density": {1}, "velocity": {1, 1}, "mask": {1}}
	statistics := &data.Statistics{Mean: one, Std: one, RMS: one, MeanDelta: one, StdDelta: one, RMSDelta: one}
	for name, o := range map[string]walrus.EmulatorOptions{
		"plain":      {Ensemble: 3, Seed: 5},
		"cached":     {Ensemble: 2, Seed: 5, Cache: &walrus.Cache{Refresh: 2}},
		"statistics": {Ensemble: 2, Seed: 5, Cache: &walrus.Cache{}, Scaling: &walrus.Scaling{Statistics: statistics}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Backend = testbackend.New(t)
			runs := func(batch int) (ensemble, mean [][]float32) {
				o.Batch = batch
				e, err := walrus.NewEmulator(w, o)
				require.NoError(t, err)
				defer e.Close()
				for frame, err := range e.Ensemble(context.Background(), window, 3, walrus.EnsembleOptions{Members: 3}) {
					require.NoError(t, err)
					mean = append(mean, frame.Mean)
				}
				return collect(t, e.Rollout(context.Background(), window, 3)), mean
			}
			wantEnsemble, wantMean := runs(1)
			require.NotEqual(t, wantEnsemble, wantMean)
			for _, batch := range []int{2, 3, 6} {
				ensemble, mean := runs(batch)
				for i := range ensemble {
					requireNear(t, wantEnsemble[i], ensemble[i], 1e-5, fmt.Sprintf("ensemble, batch of %d, step %d", batch, i+1))
					requireNear(t, wantMean[i], mean[i], 1e-5, fmt.Sprintf("members, batch of %d, step %d", batch, i+1))
				}
			}
		})
	}
}

// TestRolloutEvery: RolloutEvery yields the same frames as Rollout at its steps.
func TestRolloutEvery(t *testing.T) {
	for _, cache := range []*walrus.Cache{nil, {Refresh: 3}} {
		e := newEmulator(t, walrus.EmulatorOptions{Seed: 3, Cache: cache})
		all := collect(t, e.Rollout(context.Background(), plane(), 7))
		var steps []int
		for f, err := range e.RolloutEvery(context.Background(), plane(), 7, 3) {
			require.NoError(t, err)
			require.Equal(t, all[f.Step-1], f.Values)
			steps = append(steps, f.Step)
		}
		require.Equal(t, []int{3, 6}, steps)
		_, err := lastError(e.RolloutEvery(context.Background(), plane(), 7, 0))
		require.ErrorContains(t, err, "expected to yield every frame (1) or every n-th, got 0")
	}
}

// TestDivergence: a value that is not finite ends a rollout at the step where it appears,
// even if RolloutEvery does not yield that frame.
func TestDivergence(t *testing.T) {
	w := livelyWeights(t, smallConfig())
	e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer e.Close()
	window := plane()
	for i := range window.Frames[2] {
		window.Frames[2][i] *= 1e37
	}
	got, last := lastError(e.RolloutEvery(context.Background(), window, 50, 25))
	require.Empty(t, got)
	require.ErrorContains(t, last, "the rollout diverged")
}

// TestPrecision: in bfloat16 a forecast is the same up to roundings of 2⁻⁹, with and
// without a cache; weights that change are rounded again.
func TestPrecision(t *testing.T) {
	b := testbackend.New(t)
	w := livelyWeights(t, smallConfig())
	if !strings.HasPrefix(b.Name(), "xla") {
		_, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Precision: walrus.BFloat16})
		require.ErrorContains(t, err, "walrus: emulator options: precision bfloat16: expected XLA, got backend")
		return
	}
	for _, cache := range []*walrus.Cache{nil, {}} {
		forecast := func(p walrus.Precision) (*walrus.Emulator, []float32) {
			e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, JitterOff: true, Precision: p, Cache: cache})
			require.NoError(t, err)
			t.Cleanup(e.Close)
			frame, err := e.Emulate(context.Background(), plane())
			require.NoError(t, err)
			return e, frame
		}
		_, exact := forecast(walrus.Float32)
		e, rounded := forecast(walrus.BFloat16)
		difference := relative(exact, rounded)
		require.Less(t, difference, 0.02)
		require.Greater(t, difference, 1e-6, "rounding shows")
		again := livelyWeights(t, smallConfig())
		bias, _ := again.Tensor("debed.2.proj2.bias")
		before, _ := w.Tensor("debed.2.proj2.bias")
		kept := clone(t, before)
		flat := make([]float32, bias.Shape().Size())
		for i := range flat {
			flat[i] = 3
		}
		require.NoError(t, w.Set("debed.2.proj2.bias", testbackend.Tensor(flat, len(flat))))
		changed, err := e.Emulate(context.Background(), plane())
		require.NoError(t, err)
		require.Greater(t, relative(rounded, changed), 0.1)
		require.NoError(t, w.Set("debed.2.proj2.bias", kept))
	}
}

// relative returns the norm of the difference divided by the norm of the first.
func relative(want, got []float32) float64 {
	difference, norm := 0.0, 0.0
	for i, v := range want {
		d := float64(v) - float64(got[i])
		difference, norm = difference+d*d, norm+float64(v)*float64(v)
	}
	return math.Sqrt(difference / norm)
}

// TestEmulatorDevices: concurrent emulators on different devices, with copies of the
// weights, give the same forecast. The same weights on two devices are an error.
func TestEmulatorDevices(t *testing.T) {
	b := testbackend.Devices(t, 3)
	w := livelyWeights(t, smallConfig())
	frames := make(chan [][]float32, 3)
	for device := range 3 {
		own, err := w.Clone()
		require.NoError(t, err)
		e, err := walrus.NewEmulator(own, walrus.EmulatorOptions{Backend: b, Device: device, Seed: 1, Cache: &walrus.Cache{}, OwnWeights: true})
		require.NoError(t, err)
		defer e.Close()
		go func() {
			out, err := e.Forecast(context.Background(), plane(), 3)
			if err != nil {
				t.Error(err)
			}
			frames <- out
		}()
	}
	first := <-frames
	require.Len(t, first, 3)
	require.Equal(t, first, <-frames)
	require.Equal(t, first, <-frames)
	here, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Device: 1})
	require.NoError(t, err)
	defer here.Close()
	_, err = here.Emulate(context.Background(), plane())
	require.NoError(t, err)
	there, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Device: 2})
	require.NoError(t, err)
	defer there.Close()
	_, err = there.Emulate(context.Background(), plane())
	require.ErrorContains(t, err, "the weights are on device 1: expected an emulator on this device, or a copy")
	_, err = walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Device: 3})
	require.EqualError(t, err, "walrus: emulator options: expected a device from 0 to 2, got 3")
}
