package walrus_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// narrow lists the precisions of held weights that are shorter than float32.
var narrow = []walrus.Precision{walrus.BFloat16, walrus.Int8}

// widened saves the weights of a file held in a precision and loads them in float32.
func widened(t *testing.T, path string, c walrus.Config, p walrus.Precision) *walrus.Weights {
	t.Helper()
	held, _, err := walrus.LoadWeights(path, c, walrus.LoadOptions{Weights: p})
	require.NoError(t, err)
	defer held.Close()
	require.Equal(t, p, held.Precision())
	copied, err := held.Clone()
	require.NoError(t, err)
	defer copied.Close()
	again := filepath.Join(t.TempDir(), "widened.safetensors")
	require.NoError(t, copied.Save(again, nil))
	wide, _, err := walrus.LoadWeights(again, c, walrus.LoadOptions{})
	require.NoError(t, err)
	t.Cleanup(wide.Close)
	return wide
}

// weightFileOf saves weights to a file.
func weightFileOf(t *testing.T, w *walrus.Weights) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, w.Save(path, nil))
	return path
}

// TestHeldWeights: a matrix in bfloat16 is rounded to 8 bits. In int8 each value is off by at
// most half the step of its output channel, the largest magnitude of which is exact. Vectors
// and tables keep every bit.
func TestHeldWeights(t *testing.T) {
	c := smallConfig()
	w := livelyWeights(t, c)
	path := weightFileOf(t, w)
	for _, p := range narrow {
		wide := widened(t, path, c, p)
		for _, q := range w.Params() {
			want, got := valuesOf(t, w, q.Key), valuesOf(t, wide, q.Key)
			if len(q.Dims) == 1 || len(q.Dims) == 2 && q.Dims[0] == 32 && q.Dims[1] == c.Heads {
				require.Equal(t, want, got, q.Key)
				continue
			}
			channel := channelOf(q)
			largest := map[int]float64{}
			for i, v := range want {
				largest[channel(i)] = max(largest[channel(i)], math.Abs(float64(v)))
			}
			for i, v := range want {
				bound := math.Abs(float64(v)) / 256
				if p == walrus.Int8 {
					bound = largest[channel(i)] / 127 / 2 * (1 + 1e-5)
				}
				require.InDelta(t, v, got[i], bound, "%v %s[%d]", p, q.Key, i)
				if p == walrus.Int8 && math.Abs(float64(v)) == largest[channel(i)] {
					require.InEpsilon(t, v, got[i], 1e-6, "%s[%d]", q.Key, i)
				}
			}
		}
	}
}

// channelOf returns a function from the index of a value to its output channel.
func channelOf(q walrus.Param) func(i int) int {
	inner := 1
	for _, n := range q.Dims[1:] {
		inner *= n
	}
	if q.Key[:5] != "debed" {
		return func(i int) int { return i / inner }
	}
	return func(i int) int { return i % inner / (inner / q.Dims[1]) }
}

// TestHeldForecast: the network widens held weights to the values that saving them gives.
func TestHeldForecast(t *testing.T) {
	b := testbackend.New(t)
	c := smallConfig()
	w := livelyWeights(t, c)
	path := weightFileOf(t, w)
	o := walrus.EmulatorOptions{Backend: b, Seed: 3, Cache: &walrus.Cache{}}
	emulator := func(w *walrus.Weights, o walrus.EmulatorOptions) func() []float32 {
		e, err := walrus.NewEmulator(w, o)
		require.NoError(t, err)
		t.Cleanup(e.Close)
		return func() []float32 {
			frames, err := e.Forecast(context.Background(), plane(), 2)
			require.NoError(t, err)
			return frames[1]
		}
	}
	forecast := emulator(w, o)
	exact := forecast()
	for _, p := range narrow {
		wide := widened(t, path, c, p)
		for _, q := range w.Params() {
			require.NoError(t, w.Set(q.Key, testbackend.Tensor(valuesOf(t, wide, q.Key), q.Dims...)))
		}
		want := forecast()
		o.Weights = p
		held, _, err := walrus.LoadWeights(path, c, o.LoadOptions())
		require.NoError(t, err)
		t.Cleanup(held.Close)
		got := emulator(held, o)()
		off := relative(exact, got)
		t.Logf("%v: moved by %.1e, widened in the program or before by %.1e", p, off, relative(want, got))
		require.Less(t, relative(want, got), off/10, "%v", p)
		require.Greater(t, off, 1e-6, "rounding shows")
		require.Less(t, off, 0.01)
	}
}

// TestHeldCopies: an emulator of float32 weights converts them as loading does, and converts a
// tensor again after it has changed.
func TestHeldCopies(t *testing.T) {
	c := smallConfig()
	w := livelyWeights(t, c)
	o := walrus.EmulatorOptions{Backend: testbackend.New(t), JitterOff: true, Weights: walrus.Int8}
	held, _, err := walrus.LoadWeights(weightFileOf(t, w), c, o.LoadOptions())
	require.NoError(t, err)
	defer held.Close()
	e, err := walrus.NewEmulator(w, o)
	require.NoError(t, err)
	defer e.Close()
	before, err := e.Emulate(context.Background(), plane())
	require.NoError(t, err)
	for frame, err := range e.Ensemble(context.Background(), plane(), 1, walrus.EnsembleOptions{Members: 1, Weights: []*walrus.Weights{held}}) {
		require.NoError(t, err)
		require.Equal(t, before, frame.Mean)
	}
	const key = "debed.2.proj2.weight"
	x, _ := w.Tensor(key)
	require.NoError(t, w.Set(key, testbackend.Tensor(make([]float32, x.Shape().Size()), x.Shape().Dimensions...)))
	after, err := e.Emulate(context.Background(), plane())
	require.NoError(t, err)
	require.Greater(t, relative(before, after), 1e-3)
}

// TestHeldErrors: only emulators of the same precision take weights that are not float32, and
// nothing changes them.
func TestHeldErrors(t *testing.T) {
	b := testbackend.New(t)
	c := smallConfig()
	path := weightFileOf(t, livelyWeights(t, c))
	w, _, err := walrus.LoadWeights(path, c, walrus.LoadOptions{Weights: walrus.Int8})
	require.NoError(t, err)
	defer w.Close()
	const key = "encoder_dummy"
	assert.EqualError(t, w.Set(key, testbackend.Tensor([]float32{1}, 1)),
		"walrus: weights: encoder_dummy: the weights are held in int8: expected weights in float32 to change (LoadOptions.Weights)")
	_, err = walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Weights: walrus.BFloat16})
	assert.EqualError(t, err, "walrus: emulator: expected weights in float32 or bfloat16 (EmulatorOptions.Weights), got weights held in int8")
	_, err = train.New(w, train.Options{Backend: b})
	assert.EqualError(t, err, "train: weights: expected float32, got weights held in int8: load them with LoadOptions.Weights Float32")
	_, _, err = walrus.LoadWeights(path, c, walrus.LoadOptions{Weights: 3})
	assert.ErrorContains(t, err, "weights: expected Float32, BFloat16 or Int8, got 3")
	_, err = walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Weights: -1})
	assert.EqualError(t, err, "walrus: emulator options: weights: expected Float32, BFloat16 or Int8, got -1")
	_, _, err = walrus.LoadTensors(path, w.Params(), walrus.LoadOptions{Weights: walrus.Int8})
	assert.ErrorContains(t, err, "expected float32 in LoadOptions.Weights, got int8")
	_, err = walrus.ParsePrecision("int4")
	assert.EqualError(t, err, `walrus: precision: expected float32, bfloat16 or int8, got "int4"`)
	for _, p := range []walrus.Precision{walrus.Float32, walrus.BFloat16, walrus.Int8} {
		again, err := walrus.ParsePrecision(p.String())
		require.NoError(t, err)
		assert.Equal(t, p, again)
	}
}

// heldTol bounds the error of forecasts of the goldens, relative to the tensor's largest
// magnitude. bfloat16 rounds weights by up to 2⁻⁹, and int8 by up to 1/254 of the largest
// weight of the channel.
var heldTol = map[walrus.Precision]float64{walrus.BFloat16: 4e-3, walrus.Int8: 8e-3}

// TestGoldenHeld compares the first frame of a rollout of the reference with a forecast from
// held weights.
func TestGoldenHeld(t *testing.T) {
	golden.Every(t, "m_rollout_2d_mask", func(t *testing.T, c golden.Case) {
		cfg, f := goldenConfig(t), c.Open(t)
		batch := f.Batch(t, cfg.Registry.Map())
		want, shape := f.Float32(t, "y_pred")
		first := want[:len(want)/len(batch.Windows)/shape[1]]
		d := drawsOf(t, f, 0)
		window, err := batch.Windows[0].Slice(0, batch.Inputs)
		require.NoError(t, err)
		for _, p := range narrow {
			o := walrus.EmulatorOptions{Backend: testbackend.New(t), Weights: p}
			w, _, err := walrus.LoadWeights(golden.Path(t, c.Weights), cfg, o.LoadOptions())
			require.NoError(t, err)
			defer w.Close()
			em, err := walrus.NewEmulator(w, o)
			require.NoError(t, err)
			defer em.Close()
			for frame, err := range em.Replay(context.Background(), window, []walrus.Draws{{Shift: d.shift, Rolls: d.rolls}}) {
				require.NoError(t, err)
				golden.Compare(t, "y_pred "+p.String(), golden.ChannelsLast(frame.Values, len(window.Channels(false))), first, heldTol[p])
			}
		}
	})
}
