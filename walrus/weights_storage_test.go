package walrus_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// halfStorages lists the 16-bit storages with their type in files, their significant bits
// and their least positive value.
var halfStorages = []struct {
	storage walrus.Storage
	dtype   string
	bits    int
	least   float64
}{
	{walrus.StoreFloat16, "F16", 11, 0x1p-24},
	{walrus.StoreBFloat16, "BF16", 8, 0x1p-133},
}

// storedKernel is a tensor that half storage rounds.
const storedKernel = "blocks.0.space_mixing.ff_out.weight"

// TestStorageRounds: matrices are rounded to the nearest value and vectors are kept bit
// for bit. Saving rounded matrices again keeps them bit for bit.
func TestStorageRounds(t *testing.T) {
	for _, c := range halfStorages {
		t.Run(c.dtype, func(t *testing.T) {
			w, dir := initMicro(t, 3), t.TempDir()
			first, second := filepath.Join(dir, "1.safetensors"), filepath.Join(dir, "2.safetensors")
			require.NoError(t, w.SaveAs(first, c.storage, nil))
			back, _, err := walrus.LoadWeights(first, walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			defer back.Close()
			rounded := 0
			for _, p := range w.Params() {
				want, got := valuesOf(t, w, p.Key), valuesOf(t, back, p.Key)
				if len(p.Dims) == 1 {
					requireSameBits(t, p.Key, want, got)
					continue
				}
				for i, v := range want {
					bound := max(math.Abs(float64(v))*math.Ldexp(1, -c.bits), c.least/2)
					require.LessOrEqual(t, math.Abs(float64(v)-float64(got[i])), bound, "%s[%d]", p.Key, i)
					if v != got[i] {
						rounded++
					}
				}
			}
			assert.Positive(t, rounded)
			require.NoError(t, back.SaveAs(second, c.storage, nil))
			again, _, err := walrus.LoadWeights(second, walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			defer again.Close()
			requireSameWeights(t, back, again)
		})
	}
}

// TestStorageExact: values that the type can represent, the least and the greatest among
// them, are read back bit for bit.
func TestStorageExact(t *testing.T) {
	for _, c := range halfStorages {
		t.Run(c.dtype, func(t *testing.T) {
			w := initMicro(t, 1)
			x, ok := w.Tensor(storedKernel)
			require.True(t, ok)
			dims := x.Shape().Dimensions
			want := make([]float32, x.Shape().Size())
			exact := []float32{0, float32(math.Copysign(0, -1)), 1, -1.5, 65280, float32(c.least), -3 * float32(c.least), 0x1p-14, 0.333984375 /* 171/512 */}
			for i := range want {
				want[i] = exact[i%len(exact)]
			}
			require.NoError(t, w.Set(storedKernel, testbackend.Tensor(want, dims...)))
			path := filepath.Join(t.TempDir(), "w.safetensors")
			require.NoError(t, w.SaveAs(path, c.storage, nil))
			back, _, err := walrus.LoadWeights(path, walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			defer back.Close()
			requireSameBits(t, storedKernel, want, valuesOf(t, back, storedKernel))
		})
	}
}

// TestStorageCheckpoint: a folder of 16-bit weights is verified like any other, names its
// types and needs half the bytes.
func TestStorageCheckpoint(t *testing.T) {
	full, err := walrus.OpenCheckpoint(saved(t, 5))
	require.NoError(t, err)
	whole, _ := full.Part(walrus.WeightsFile)
	for _, c := range halfStorages {
		t.Run(c.dtype, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "half")
			require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: initMicro(t, 5), Storage: c.storage, Step: 5}))
			m, err := walrus.OpenCheckpoint(dir) // verifies SHA-256
			require.NoError(t, err)
			part, _ := m.Part(walrus.WeightsFile)
			assert.InDelta(t, 0.5, float64(part.Bytes)/float64(whole.Bytes), 0.01)
			f, err := safetensors.Open(m.Path(walrus.WeightsFile))
			require.NoError(t, err)
			defer f.Close()
			for _, p := range initMicro(t, 5).Params() {
				info, ok := f.Info(p.Key)
				require.True(t, ok, p.Key)
				want := c.dtype
				if len(p.Dims) == 1 {
					want = "F32"
				}
				assert.Equal(t, want, info.DType, p.Key)
			}
		})
	}
}

func TestStorageErrors(t *testing.T) {
	w := initMicro(t, 1)
	x, _ := w.Tensor(storedKernel)
	values := make([]float32, x.Shape().Size())
	values[2] = -65520
	require.NoError(t, w.Set(storedKernel, testbackend.Tensor(values, x.Shape().Dimensions...)))
	path := filepath.Join(t.TempDir(), "w.safetensors")
	err := w.SaveAs(path, walrus.StoreFloat16, nil)
	assert.ErrorContains(t, err, storedKernel+": value 2 is -65520: expected magnitudes below 65520 for float16")
	assert.NoFileExists(t, path)
	assert.NoError(t, w.SaveAs(path, walrus.StoreBFloat16, nil))
	assert.ErrorContains(t, w.SaveAs(path, walrus.Storage(7), nil), "storage: expected StoreFloat32, StoreFloat16 or StoreBFloat16, got 7")

	for _, s := range []walrus.Storage{walrus.StoreFloat32, walrus.StoreFloat16, walrus.StoreBFloat16} {
		got, err := walrus.ParseStorage(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, got)
	}
	_, err = walrus.ParseStorage("half")
	assert.EqualError(t, err, `walrus: storage: expected float32, float16 or bfloat16, got "half"`)
}
