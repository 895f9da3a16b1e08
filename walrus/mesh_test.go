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
	c := smallConfig()
	c.Blocks = 1
	w := livelyWeights(t, c)
	one, err := w.Clone()
	require.NoError(t, err)
	t.Cleanup(one.Close)
	emulator := func(w *walrus.Weights, devices ...int) func() []float32 {
		e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: 1, Devices: devices})
		require.NoError(t, err)
		t.Cleanup(e.Close)
		return func() []float32 {
			frames, err := e.Forecast(context.Background(), plane(), 2)
			require.NoError(t, err)
			return frames[1]
		}
	}
	single := emulator(one, 3)
	want := single()
	two, four := emulator(w, 2, 1), emulator(w, 0, 1, 2, 3)
	require.Less(t, relative(want, two()), 1e-5)
	require.Less(t, relative(want, four()), 1e-5)
	const key = "blocks.0.space_mixing.fused_ff_qkv.weight"
	x, _ := w.Tensor(key)
	dims, zero := x.Shape().Dimensions, make([]float32, x.Shape().Size())
	for _, set := range []*walrus.Weights{w, one} {
		require.NoError(t, set.Set(key, testbackend.Tensor(zero, dims...)))
	}
	changed := single()
	require.Greater(t, relative(want, changed), 1e-6)
	require.Less(t, relative(changed, four()), min(1e-5, relative(want, changed)/10))
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
