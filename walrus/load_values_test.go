package walrus_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

func TestLoadNonFinite(t *testing.T) {
	for name, bad := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1)} {
		t.Run(name, func(t *testing.T) {
			all := microTensors(t)
			all[fusedKey].values[2*32+5] = float32(bad)
			path := writeTensors(t, all)
			for _, b := range []walrus.LoadOptions{{}, {Backend: testbackend.New(t)}} {
				w, _, err := walrus.LoadWeights(path, walrus.Micro(), b)
				assert.Nil(t, w)
				assert.ErrorContains(t, err, `tensor "`+fusedKey+`": expected finite values, got `+name+` at [2 5]`)
				assert.ErrorContains(t, err, path)
			}
			w, _, err := walrus.LoadWeights(path, walrus.Micro(), walrus.LoadOptions{AllowNonFinite: true})
			require.NoError(t, err)
			defer w.Close()
			requireSameBits(t, fusedKey, all[fusedKey].values, valuesOf(t, w, fusedKey))
		})
	}
}

// TestLoadPrecisions reads one network stored in other precisions.
func TestLoadPrecisions(t *testing.T) {
	// The tolerance is half of the spacing of numbers near a value, relative to it, and
	// the smallest half-precision number for values near 0.
	want := initMicro(t, 1)
	for dtype, tol := range map[string][2]float64{
		safetensors.F64: {0, 0}, safetensors.F16: {1. / (1 << 11), 1. / (1 << 25)}, safetensors.BF16: {1. / (1 << 8), 0},
	} {
		t.Run(dtype, func(t *testing.T) {
			all := microTensors(t)
			for key, x := range all {
				x.dtype = dtype
				all[key] = x
			}
			w, report, err := walrus.LoadWeights(writeTensors(t, all), walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			defer w.Close()
			assert.Equal(t, map[string]int{dtype: len(all)}, report.Converted)
			assert.Contains(t, report.String(), "converted from "+dtype+" to F32")
			for _, p := range want.Params() {
				got := valuesOf(t, w, p.Key)
				for i, v := range valuesOf(t, want, p.Key) {
					if d := math.Abs(float64(got[i] - v)); d > tol[0]*math.Abs(float64(v))+tol[1] {
						t.Fatalf("%s[%d]: expected %v within the precision of %s, got %v", p.Key, i, v, dtype, got[i])
					}
				}
			}
		})
	}
}

// TestLoadPrefixes reads files whose tensors have a wrapper's prefix in their names.
func TestLoadPrefixes(t *testing.T) {
	want := initMicro(t, 1)
	for _, prefix := range []string{"model.", "module.", "_orig_mod."} {
		t.Run(prefix, func(t *testing.T) {
			all := map[string]hostTensor{"other.thing": {safetensors.F32, []int{1}, []float32{1}}}
			for key, x := range microTensors(t) {
				all[prefix+key] = x
			}
			w, report, err := walrus.LoadWeights(writeTensors(t, all), walrus.Micro(), walrus.LoadOptions{})
			require.NoError(t, err)
			defer w.Close()
			assert.Contains(t, report.Where, prefix)
			requireSameWeights(t, want, w)
		})
	}
}

// TestLoadPerAxisRoPE: every axis gets a copy of the frequencies that the file holds once
// per block, as in finetuning.
func TestLoadPerAxisRoPE(t *testing.T) {
	const freqs = "blocks.0.space_mixing.rotary_emb.freqs"
	all := microTensors(t)
	all[freqs].values[0] = 42
	path := writeTensors(t, all)
	c := walrus.Micro()
	c.RoPE = walrus.RoPEPerAxis
	w, report, err := walrus.LoadWeights(path, c, walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	assert.Len(t, report.Expanded, 3)
	for _, axis := range []string{".0", ".1", ".2"} {
		assert.Equal(t, all[freqs].values, valuesOf(t, w, freqs+axis))
	}
	second := filepath.Join(t.TempDir(), "finetuned.safetensors")
	require.NoError(t, w.Save(second, nil))
	_, _, err = walrus.LoadWeights(second, walrus.Micro(), walrus.LoadOptions{})
	assert.ErrorContains(t, err, "1 missing in the file:\n  "+freqs, "three sets of frequencies do not become one")
}

// TestLoadForeignClass: a checkpoint with a pickled custom class is an error.
func TestLoadForeignClass(t *testing.T) {
	b, err := os.ReadFile(golden.Path(t, "tiny_walrus.pt"))
	require.NoError(t, err)
	harmless, foreign := []byte("ctorch._utils\n_rebuild_tensor_v2\n"), []byte("ctorch._utils\n_rebuild_tensor_v9\n")
	require.Equal(t, 1, bytes.Count(b, harmless), "the golden file's pickle names the function once")
	path := filepath.Join(t.TempDir(), "foreign.pt")
	require.NoError(t, os.WriteFile(path, bytes.Replace(b, harmless, foreign, 1), 0o666))
	_, _, err = walrus.LoadWeights(path, goldenConfig(t), walrus.LoadOptions{})
	assert.ErrorContains(t, err, `entry "tiny_walrus/data.pkl" is damaged: expected CRC-32 `)
	_, _, err = walrus.LoadWeights(path, goldenConfig(t), walrus.LoadOptions{SkipCRC: true})
	assert.ErrorContains(t, err, "_rebuild_tensor_v9")
	assert.ErrorContains(t, err, path)
}
