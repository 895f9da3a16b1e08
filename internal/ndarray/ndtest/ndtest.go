// Package ndtest compares readers of arrays with the values that Python packages read from
// the files in testdata/data/arrays.
package ndtest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// Recorded is an array as a Python package reads it.
type Recorded struct {
	Shape []int
	Type  string
	// SHA256 is the hash of the values as float32, little-endian, row-major.
	SHA256 string
}

// Dir returns the folder of the files.
func Dir() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "testdata", "data", "arrays")
}

// Path returns the path of a file in [Dir].
func Path(name string) string { return filepath.Join(Dir(), filepath.FromSlash(name)) }

// Arrays returns the recorded arrays of a file by their names.
func Arrays(t *testing.T, file string) map[string]Recorded {
	t.Helper()
	raw, err := os.ReadFile(Path("values.json"))
	require.NoError(t, err)
	var all map[string]map[string]Recorded
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all[file], file)
	return all[file]
}

// Compare reads every recorded array of a file and compares shape and values bit by bit.
func Compare(t *testing.T, file string, open func(array string) (driver.Dataset, error)) {
	t.Helper()
	for array, want := range Arrays(t, file) {
		d, err := open(array)
		if !assert.NoError(t, err, "%s %s", file, array) {
			continue
		}
		assert.Equal(t, want.Shape, append([]int{}, d.Shape()...), "%s %s", file, array)
		values := make([]float32, Size(d.Shape()))
		require.NoError(t, d.Float32(values, make([]int, len(d.Shape())), d.Shape()))
		assert.Equal(t, want.SHA256, Sum(values), "%s %s", file, array)
	}
}

// Sum returns the hash of values as [Recorded] has it.
func Sum(values []float32) string {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Size returns the number of elements of a shape.
func Size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// Corner reads up to 2^16 elements at the end of an array, for tests that only look for
// panics.
func Corner(d driver.Dataset) {
	n, offset, count := 1, make([]int, len(d.Shape())), make([]int, len(d.Shape()))
	for i, s := range d.Shape() {
		count[i] = min(s, 1<<16/max(n, 1))
		offset[i] = s - count[i]
		n *= count[i]
	}
	_ = d.Float32(make([]float32, n), offset, count)
}

// Allocated fails the test if f allocates more than limit bytes.
func Allocated(t *testing.T, limit uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > limit {
		t.Fatalf("expected at most %d bytes of memory, got %d", limit, n)
	}
}
