package walrus_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestEmulatorOnDevices: a forecast of several devices has the numbers of a single device,
// also after a tensor has changed.
func TestEmulatorOnDevices(t *testing.T) {
	b := testbackend.Devices(t, 4)
	w := livelyWeights(t, smallConfig())
	forecast := func(w *walrus.Weights, devices ...int) (*walrus.Emulator, [][]float32) {
		e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: 1, Devices: devices})
		require.NoError(t, err)
		t.Cleanup(e.Close)
		frames, err := e.Forecast(context.Background(), plane(), 2)
		require.NoError(t, err)
		return e, frames
	}
	one, err := w.Clone()
	require.NoError(t, err)
	defer one.Close()
	single, want := forecast(one, 3)
	for _, devices := range [][]int{{2, 1}, {0, 1, 2, 3}} {
		e, got := forecast(w, devices...)
		for step := range want {
			require.Less(t, relative(want[step], got[step]), 1e-5, "devices %v, step %d", devices, step+1)
		}
		if len(devices) == 4 {
			continue
		}
		const key = "blocks.0.space_mixing.fused_ff_qkv.weight"
		before, _ := w.Tensor(key)
		kept, dims, zero := clone(t, before), before.Shape().Dimensions, make([]float32, before.Shape().Size())
		for _, set := range []*walrus.Weights{w, one} {
			require.NoError(t, set.Set(key, testbackend.Tensor(zero, dims...)))
		}
		changed, err := single.Forecast(context.Background(), plane(), 2)
		require.NoError(t, err)
		again, err := e.Forecast(context.Background(), plane(), 2)
		require.NoError(t, err)
		require.Less(t, relative(changed[1], again[1]), 1e-5)
		require.Greater(t, relative(want[1], again[1]), 1e-4)
		require.NoError(t, w.Set(key, kept))
	}
}

// TestDevicesErrors: devices that do not exist, and options that need a single device, are
// errors.
func TestDevicesErrors(t *testing.T) {
	b := testbackend.Devices(t, 2)
	w := livelyWeights(t, smallConfig())
	for want, o := range map[string]walrus.EmulatorOptions{
		"devices: expected different numbers from 0 to 1, got [0 2]":                         {Devices: []int{0, 2}},
		"devices: expected different numbers from 0 to 1, got [1 1]":                         {Devices: []int{1, 1}},
		"devices: expected no cache with several devices, got devices [0 1]":                 {Devices: []int{0, 1}, Cache: &walrus.Cache{}},
		"devices: expected weights and arithmetic in float32 with several devices, got int8": {Devices: []int{0, 1}, Weights: walrus.Int8},
		"expected a device from 0 to 1, got 2":                                               {Device: 2},
	} {
		o.Backend = b
		_, err := walrus.NewEmulator(w, o)
		assert.EqualError(t, err, "walrus: emulator options: "+want)
	}
}
