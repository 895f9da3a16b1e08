package hdf5

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// openTest opens a file of testdata until the end of the test.
func openTest(t *testing.T, name string) *File {
	f, err := Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// TestTypes: unsupported types are named in the type and in the error.
func TestTypes(t *testing.T) {
	f := openTest(t, "types.h5")
	want := map[string]string{
		"bfloat16": "float16 (not IEEE: exponent 8 bits, mantissa 7 bits)", "int12": "int16 (12 bits at bit 0)",
		"array": "array", "sequence": "variable-length sequence", "opaque": "opaque", "reference": "reference",
		"compound": "compound", "bits": "bit field", "time": "time", "complex": "complex number", "text": "string", "fixed_text": "string",
	}
	for name, typ := range want {
		d, err := f.Dataset(name)
		require.NoError(t, err, name)
		assert.Equal(t, typ, d.Type(), name)
		err = d.Float32(make([]float32, 2), []int{0}, []int{2})
		assert.ErrorContains(t, err, "types.h5: "+name+": expected integers or floats of 8 to 64 bits, got the type "+typ)
	}
	names, err := f.Children("/")
	require.NoError(t, err)
	assert.Len(t, names, len(want)+3, "the numbers below")
}

// TestIntegersRoundOnce checks integers for which rounding via float64 gives another
// float32.
func TestIntegersRoundOnce(t *testing.T) {
	f := openTest(t, "types.h5")
	for name, want := range map[string][]float32{
		"int64":  {1 << 53, -(1<<62 + 1<<39), 1 << 24},
		"uint64": {1 << 64, 1<<63 + 1<<40},
	} {
		d, err := f.Dataset(name)
		require.NoError(t, err)
		got := make([]float32, len(want))
		require.NoError(t, d.Float32(got, []int{0}, []int{len(want)}))
		assert.Equal(t, want, got, name)
	}
}

// TestMaskedFilter reads a chunk for which an unsupported filter was skipped. A chunk
// for which it was applied must give an error.
func TestMaskedFilter(t *testing.T) {
	d, err := openTest(t, "types.h5").Dataset("zstd")
	require.NoError(t, err)
	got := make([]float32, 2)
	require.NoError(t, d.Float32(got, []int{0}, []int{2}))
	assert.Equal(t, []float32{1, 2}, got)
	err = d.Float32(got, []int{1}, []int{2})
	assert.ErrorContains(t, err, "zstd: chunk [1]: filter number 32015 (zstd): not supported: expected deflate, shuffle, fletcher32 or lzf")
}

func TestPaddedText(t *testing.T) {
	f := openTest(t, "types.h5")
	for name, want := range map[string][]string{"terminated": {"ab ", "c d e "}, "zeros": {"ab ", "c d e "}, "spaces": {"ab", "c d e"}} {
		got, err := f.Attribute("/", name)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
	assert.Equal(t, "a\x00b", padZeros.trim([]byte("a\x00b\x00\x00")), "zeros inside are text")
	assert.Equal(t, "a", padTerminated.trim([]byte("a\x00b\x00\x00")))
}

// TestLinks follows links of every kind. Links that double the path at each step must
// not double the time.
func TestLinks(t *testing.T) {
	f := openTest(t, "links.h5")
	for path, want := range map[string]float32{
		"a/value": 7, "/a//./value": 7, "a/relative": 7, "a/root/a/relative": 7, "a/dots": 8, "chain": 7, "ring/ring/a/value": 7, "bomb26/a/value": 7,
	} {
		d, err := f.Dataset(path)
		if assert.NoError(t, err, path) {
			got := make([]float32, 1)
			assert.NoError(t, d.Float32(got, nil, nil))
			assert.Equal(t, want, got[0], path)
		}
	}
	names, err := f.Children("a")
	require.NoError(t, err)
	assert.Len(t, names[len(names)-1], 5000, "the name of a member that is a huge object")
	start := time.Now()
	for path, want := range map[string]string{
		"bomb00": "more than 32 soft links", "self": "more than 32 soft links", "dangling": `not found: "a" has no member "nothing"`,
		"other": "is a link to another file", "a/../a": `not found: "a" has no member ".."`, "a/value/x": "is not a group",
	} {
		_, err := f.Dataset(path)
		assert.ErrorContains(t, err, want, path)
	}
	assert.Less(t, time.Since(start), time.Second)
	for path, want := range map[string]bool{"ring": true, "/": true, "a/root": true, "dangling": false, "a/value": false} {
		got, err := f.IsGroup(path)
		assert.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
	_, err = f.Dataset("dangling")
	assert.ErrorIs(t, err, driver.ErrNotFound)
}

// TestSparse reads datasets with two stored chunks, far apart.
func TestSparse(t *testing.T) {
	f := openTest(t, "sparse.h5")
	for _, name := range []string{"fixed", "extensible", "tree", "old"} {
		d, err := f.Dataset(name)
		require.NoError(t, err)
		first, last, count := make([]int, len(d.Shape())), make([]int, len(d.Shape())), make([]int, len(d.Shape()))
		for i, n := range d.Shape() {
			last[i], count[i] = 3, 1
			if i == 0 {
				last[i], count[i] = n-3, 3
			}
		}
		for _, part := range []struct {
			at   []int
			want []float32
		}{{first, []float32{4, -1, -1}}, {last, []float32{-1, 5, -1}}} {
			if name == "old" {
				// Elements of a stored chunk that were never written have the fill value too.
				require.Equal(t, []int{2}, d.Chunk())
			}
			got := make([]float32, 3)
			require.NoError(t, d.Float32(got, part.at, count))
			assert.Equal(t, part.want, got, "%s at %v", name, part.at)
		}
	}
}

// TestSharedMessages: the error names the missing feature for files that keep messages
// in a common heap.
func TestSharedMessages(t *testing.T) {
	f := openTest(t, "shared.h5")
	names, err := f.Children("/")
	require.NoError(t, err)
	assert.Equal(t, []string{"d0", "d1", "d2"}, names)
	_, err = f.Dataset("d1")
	assert.ErrorContains(t, err, "shared.h5: d1: ")
	assert.ErrorContains(t, err, "messages shared through a heap of the file are not supported")
}

// TestPrefix reads a file after foreign bytes, which the library allows: addresses
// count from the superblock.
func TestPrefix(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "fuzz_old.h5"))
	require.NoError(t, err)
	for _, n := range []int{0, 512, 2048} {
		moved := append(make([]byte, n), b...)
		f, err := NewFile(bytes.NewReader(moved), int64(len(moved)), "moved")
		require.NoError(t, err)
		text, err := f.Attribute("/", "text")
		require.NoError(t, err)
		assert.Equal(t, "abc", text)
		_, err = NewFile(bytes.NewReader(moved[:len(moved)-1]), int64(len(moved)-1), "cut")
		assert.ErrorContains(t, err, "cut: truncated")
	}
	moved := append(make([]byte, 100), b...)
	_, err = NewFile(bytes.NewReader(moved), int64(len(moved)), "moved")
	assert.ErrorContains(t, err, "not an HDF5 file", "the superblock is at 0, 512, 1024, …")
	_, err = NewFile(bytes.NewReader(b), -1, "negative")
	assert.ErrorContains(t, err, "negative: expected a size")
}
