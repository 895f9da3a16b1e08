package npy_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
	"github.com/gowalrus/gowalrus/internal/npy"
)

var files = []string{
	"plain.npz", "packed.npz", "npy/fortran.npy", "npy/big.npy", "npy/half.npy", "npy/small.npy", "npy/bigint.npy",
	"npy/long.npy", "npy/flags.npy", "npy/fortran_big.npy", "npy/scalar.npy", "npy/empty.npy",
}

// TestRecorded: every array has the values that numpy reads.
func TestRecorded(t *testing.T) {
	for _, name := range files {
		f, err := npy.Open(ndtest.Path(name))
		require.NoError(t, err)
		assert.Len(t, f.Arrays(), len(ndtest.Arrays(t, name)), name)
		ndtest.Compare(t, name, f.Dataset)
		require.NoError(t, f.Close())
	}
}

// TestRefusals: an error names the file, the array and the fault.
func TestRefusals(t *testing.T) {
	whole, err := os.ReadFile(ndtest.Path("npy/big.npy"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"truncated": {whole[:len(whole)-1], "expected 480 bytes of float32 big-endian for shape [5 6 4], got 479"},
		"text":      {[]byte("a,b,c\n1,2,3\n"), "expected an NPY or NPZ file"},
		"object":    {bytes.Replace(whole, []byte("'>f4'"), []byte("'|O' "), 1), `got the type "|O"`},
		"version":   {append([]byte("\x93NUMPY\x09"), whole[7:]...), "expected version 1, 2 or 3"},
	} {
		_, err := npy.NewFile(bytes.NewReader(c.b), int64(len(c.b)), "a.npy")
		if assert.Error(t, err, name) {
			assert.Contains(t, err.Error(), c.want, name)
			assert.True(t, strings.HasPrefix(err.Error(), "a.npy: "), name)
		}
	}
	f, err := npy.Open(ndtest.Path("plain.npz"))
	require.NoError(t, err)
	defer f.Close()
	assert.Len(t, f.Skipped(), 1) // the array of a text
	_, err = f.Dataset("rha")
	assert.ErrorContains(t, err, `the file has ["rho"`)
}

// FuzzFile reads arrays of damaged files. Errors are allowed, but no panic and no memory
// beyond 1032 times the size of the file and the buffers of a read.
func FuzzFile(f *testing.F) {
	for _, name := range files {
		b, err := os.ReadFile(ndtest.Path(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ndtest.Allocated(t, 8<<20+1100*uint64(len(b)), func() {
			file, err := npy.NewFile(bytes.NewReader(b), int64(len(b)), "fuzz")
			if err != nil {
				return
			}
			for _, name := range file.Arrays() {
				if d, err := file.Dataset(name); err == nil {
					ndtest.Corner(d)
				}
			}
			_ = file.Close()
		})
	})
}
