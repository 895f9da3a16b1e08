package zarr_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
	"github.com/gowalrus/gowalrus/internal/zarr"
)

// TestRecorded: every array has the values that Python package zarr reads.
func TestRecorded(t *testing.T) {
	for _, name := range []string{"two.zarr", "three.zarr", "xarray2.zarr", "xarray3.zarr"} {
		s, err := zarr.Open(ndtest.Path(name))
		require.NoError(t, err)
		assert.Len(t, s.Arrays(), len(ndtest.Arrays(t, name)), name)
		ndtest.Compare(t, name, s.Dataset)
		require.NoError(t, s.Close())
	}
}

// TestBlocks: a block equals the same part of the whole array, over chunks, shards and
// chunks that are not stored.
func TestBlocks(t *testing.T) {
	s, err := zarr.Open(ndtest.Path("three.zarr"))
	require.NoError(t, err)
	for _, a := range s.Arrays() {
		shape := a.Shape()
		whole := make([]float32, ndtest.Size(shape))
		require.NoError(t, a.Float32(whole, make([]int, len(shape)), shape))
		offset, count := make([]int, len(shape)), make([]int, len(shape))
		for i, n := range shape {
			offset[i], count[i] = n/3, n-n/3-n/4
		}
		block := make([]float64, ndtest.Size(count))
		require.NoError(t, a.Float64(block, offset, count))
		for i, v := range block {
			from := 0
			for k, rest := len(shape)-1, i; k >= 0; k-- {
				step := 1
				for _, n := range shape[k+1:] {
					step *= n
				}
				from += (offset[k] + rest%count[k]) * step
				rest /= count[k]
			}
			require.Equal(t, whole[from], float32(v), "%s %d", a.Name(), i)
		}
		require.Error(t, a.Float32(make([]float32, 3), offset, count))
	}
}

// TestRefusals: the error names the codec that is not supported, or the damage.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		metadata, chunk, want string
	}{
		"codec":    {`{"zarr_format":2,"shape":[2],"chunks":[2],"dtype":"<f4","compressor":{"id":"lzma"},"fill_value":0,"order":"C","filters":null}`, "", `got "lzma"`},
		"filter":   {`{"zarr_format":2,"shape":[2],"chunks":[2],"dtype":"<f4","compressor":null,"fill_value":0,"order":"C","filters":[{"id":"delta"}]}`, "", `got "delta"`},
		"short":    {`{"zarr_format":2,"shape":[2],"chunks":[2],"dtype":"<f4","compressor":null,"fill_value":0,"order":"C","filters":null}`, "1234567", "expected a chunk of 8 bytes, got 7"},
		"damaged":  {`{"zarr_format":2,"shape":[2],"chunks":[2],"dtype":"<f4","compressor":{"id":"zstd"},"fill_value":0,"order":"C","filters":null}`, "12345678", "chunk [0]"},
		"enormous": {`{"zarr_format":2,"shape":[2],"chunks":[1000000000000],"dtype":"<f4","compressor":null,"fill_value":0,"order":"C","filters":null}`, "1", "at most 512 MiB"},
	} {
		s, err := zarr.OpenFS(fstest.MapFS{".zarray": {Data: []byte(c.metadata)}, "0": {Data: []byte(c.chunk)}}, "store")
		if err == nil {
			err = s.Arrays()[0].Float32(make([]float32, 2), []int{0}, []int{2})
		}
		if assert.Error(t, err, name) {
			assert.Contains(t, err.Error(), c.want, name)
			assert.Contains(t, err.Error(), "store: array array", name)
		}
	}
}
