package walrus_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// initMicro returns initial weights of the smallest preset.
func initMicro(t *testing.T, seed uint64) *walrus.Weights {
	t.Helper()
	w, err := walrus.InitWeights(walrus.Micro(), seed)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// valuesOf copies a tensor of w.
func valuesOf(t *testing.T, w *walrus.Weights, key string) []float32 {
	t.Helper()
	x, ok := w.Tensor(key)
	require.True(t, ok, key)
	v, err := tensors.CopyFlatData[float32](x)
	require.NoError(t, err)
	return v
}

// requireSameBits compares values bit by bit.
func requireSameBits(t *testing.T, key string, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want), key)
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) {
			t.Fatalf("%s[%d]: expected %v, got %v", key, i, want[i], got[i])
		}
	}
}

// requireSameWeights compares all tensors bit by bit.
func requireSameWeights(t *testing.T, want, got *walrus.Weights) {
	t.Helper()
	require.Equal(t, len(want.Params()), len(got.Params()))
	for _, p := range want.Params() {
		requireSameBits(t, p.Key, valuesOf(t, want, p.Key), valuesOf(t, got, p.Key))
	}
}

func TestGoldenReleasedParams(t *testing.T) {
	var want []struct {
		Key   string
		Shape []int
	}
	golden.ReadJSON(t, "released_state_dict_keys.json", &want)
	params, err := walrus.Walrus().Params()
	require.NoError(t, err)
	require.Len(t, params, 857)
	require.Len(t, want, 857)
	total, buffers := 0, 0
	for i, p := range params {
		require.Equal(t, want[i].Key, p.Key, "tensor %d", i)
		require.Equal(t, want[i].Shape, p.Dims, p.Key)
		if p.Init.Buffer {
			buffers += p.Size()
		} else {
			total += p.Size()
		}
	}
	assert.Equal(t, 1_286_199_047, total, "the rotary frequencies are saved but are no parameters")
	assert.Equal(t, 5_144_797_948, 4*(total+buffers), "bytes of the released file's tensors")
}

func TestInitWeights(t *testing.T) {
	w, again, other := initMicro(t, 1), initMicro(t, 1), initMicro(t, 2)
	requireSameWeights(t, w, again)
	const key = "blocks.0.space_mixing.fused_ff_qkv.weight"
	assert.NotEqual(t, valuesOf(t, w, key), valuesOf(t, other, key))
	bound := float32(1 / math.Sqrt(32))
	var largest float32
	for _, v := range valuesOf(t, w, key) {
		largest = max(largest, v, -v)
	}
	assert.InDelta(t, bound, largest, 0.01, "uniform in ±1/√fan-in")
	assert.Equal(t, []float32{1}, valuesOf(t, w, "encoder_dummy"))

	_, err := walrus.InitWeights(walrus.Config{}, 1)
	assert.ErrorContains(t, err, "hidden")
}

func TestWeightsSet(t *testing.T) {
	w := initMicro(t, 1)
	old, _ := w.Tensor("encoder_dummy")
	require.NoError(t, w.Set("encoder_dummy", testbackend.Tensor([]float32{7}, 1)))
	assert.Equal(t, []float32{7}, valuesOf(t, w, "encoder_dummy"))
	assert.False(t, old.Ok(), "the old value must be freed")
	same, _ := w.Tensor("encoder_dummy")
	require.NoError(t, w.Set("encoder_dummy", same))
	assert.Equal(t, []float32{7}, valuesOf(t, w, "encoder_dummy"), "setting a tensor to itself keeps it")

	for name, c := range map[string]struct {
		key  string
		t    *tensors.Tensor
		want string
	}{
		"unknown key":  {"nothing", testbackend.Tensor([]float32{1}, 1), `expected a key of this network, got "nothing"`},
		"wrong shape":  {"encoder_dummy", testbackend.Tensor([]float32{1, 2}, 2), "expected Float32 [1], got Float32 [2]"},
		"wrong type":   {"encoder_dummy", testbackend.Tensor([]int32{1}, 1), "expected Float32 [1], got Int32 [1]"},
		"no tensor":    {"encoder_dummy", nil, "expected a tensor, got none"},
		"freed tensor": {"encoder_dummy", old, "or a finalized one"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, w.Set(c.key, c.t), c.want)
			assert.Equal(t, []float32{7}, valuesOf(t, w, "encoder_dummy"))
		})
	}
}

func TestWeightsTensors(t *testing.T) {
	w := initMicro(t, 1)
	keys := []string{"embed.2.norm1.weight", "encoder_dummy"}
	got, err := w.Tensors(keys)
	require.NoError(t, err)
	for i, key := range keys {
		want, _ := w.Tensor(key)
		assert.Same(t, want, got[i])
	}
	_, err = w.Tensors([]string{"a", "encoder_dummy", "b"})
	assert.ErrorContains(t, err, "got a, b")
	w.Close()
	w.Close()
	_, err = w.Tensors([]string{"encoder_dummy"})
	assert.ErrorContains(t, err, "has 0 tensors, got encoder_dummy")
	assert.ErrorContains(t, w.Place(testbackend.New(t)), "the weights were freed")
}

// discrete is a backend that shares no memory with the host, like those of accelerators.
type discrete struct{ compute.Backend }

func (discrete) HasSharedBuffers() bool { return false }

func TestWeightsSave(t *testing.T) {
	w := initMicro(t, 3)
	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, w.Save(path, map[string]string{"note": "a test"}))
	for name, o := range map[string]walrus.LoadOptions{
		"host": {}, "device": {Backend: testbackend.New(t)}, "device without shared memory": {Backend: discrete{testbackend.New(t)}},
	} {
		t.Run(name, func(t *testing.T) {
			back, report, err := walrus.LoadWeights(path, walrus.Micro(), o)
			require.NoError(t, err)
			defer back.Close()
			requireSameWeights(t, w, back)
			assert.Equal(t, len(w.Params()), report.Tensors)
			assert.Empty(t, report.Missing)
			if x, _ := back.Tensor("encoder_dummy"); o.Backend != nil {
				assert.True(t, x.IsOnAnyDevice())
				assert.Equal(t, o.Backend.HasSharedBuffers(), x.IsShared())
			}
			second := filepath.Join(t.TempDir(), "again.safetensors")
			require.NoError(t, back.Save(second, nil))
			for _, p := range back.Params() {
				x, _ := back.Tensor(p.Key)
				assert.Equal(t, o.Backend == nil, x.HasLocal(), "%s: saving leaves no host copy", p.Key)
			}
			third, _, err := walrus.LoadWeights(second, walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			requireSameWeights(t, w, third)
		})
	}
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, map[string]string{"note": "a test"}, f.Metadata())
	for i, name := range f.Names() {
		assert.Equal(t, w.Params()[i].Key, name, "the file keeps the order of the state dict")
	}

	w.Close()
	assert.ErrorContains(t, w.Save(path, nil), "the weights were freed")
	assert.FileExists(t, path, "a failed save keeps the old file")
}

func TestWeightsPlace(t *testing.T) {
	w, b := initMicro(t, 1), testbackend.New(t)
	want := initMicro(t, 1)
	require.NoError(t, w.Place(b))
	for _, p := range w.Params() {
		x, _ := w.Tensor(p.Key)
		assert.True(t, x.IsOnAnyDevice(), p.Key)
		assert.False(t, x.HasLocal(), p.Key)
	}
	requireSameWeights(t, want, w)
	require.NoError(t, w.Set("encoder_dummy", tensors.FromShape(shapes.Make(dtypes.Float32, 1))))
	require.NoError(t, w.Place(b), "a mixture of both is fine")
}
