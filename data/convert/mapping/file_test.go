package mapping

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
)

// TestRecorded: every array of every file has the values that numpy, h5py, zarr and, for
// NetCDF with its scale factors and missing values, xarray read.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile(ndtest.Path("values.json"))
	require.NoError(t, err)
	var files map[string]any
	require.NoError(t, json.Unmarshal(text, &files))
	require.Greater(t, len(files), 20)
	for name := range files {
		var raw *Raw
		if name == "raw/rho.bin" {
			raw = &Raw{Type: "float32 big-endian", Shape: []int{5, 4, 6}, Offset: 16}
		}
		f, err := openFile(ndtest.Path(name), raw)
		require.NoError(t, err, name)
		list, _, err := f.list()
		require.NoError(t, err, name)
		assert.GreaterOrEqual(t, len(list), len(ndtest.Arrays(t, name)), name)
		ndtest.Compare(t, name, func(array string) (driver.Dataset, error) { return openArray(f, array, false) })
		require.NoError(t, f.Close(), name)
	}
}

// TestNatural: numbers in names count.
func TestNatural(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"9", "10", -1}, {"step_9", "step_10", -1}, {"a", "b", -1}, {"1e-3", "0.01", -1}, {"007", "7", 1}, {"x1y2", "x1y10", -1}, {"run", "run2", -1}, {"5", "5", 0},
	} {
		got := natural(c.a, c.b)
		assert.Equal(t, c.want, max(-1, min(got, 1)), "%s %s", c.a, c.b)
		assert.Equal(t, -c.want, max(-1, min(natural(c.b, c.a), 1)), "%s %s", c.b, c.a)
	}
}
