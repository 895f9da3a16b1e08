package netcdf3_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
	"github.com/gowalrus/gowalrus/internal/netcdf3"
)

var files = []string{"classic.nc", "offset64.nc", "data64.nc", "records.nc", "one_record.nc", "scipy.nc"}

// TestRecorded: every variable has the values that xarray reads.
func TestRecorded(t *testing.T) {
	for _, name := range files {
		f, err := netcdf3.Open(ndtest.Path(name))
		require.NoError(t, err)
		assert.Len(t, f.Variables(), len(ndtest.Arrays(t, name)), name)
		ndtest.Compare(t, name, f.Dataset)
		require.NoError(t, f.Close())
	}
}

// TestHeader: dimensions and attributes.
func TestHeader(t *testing.T) {
	f, err := netcdf3.Open(ndtest.Path("classic.nc"))
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, map[string]any{"nu": 0.01, "title": "fixture"}, f.Attributes())
	for _, v := range f.Variables() {
		if v.Name == "rho" {
			assert.Equal(t, []string{"run", "time", "lat", "lon"}, v.Dimensions)
			assert.Equal(t, "kg m-3", v.Attributes["units"])
			assert.Equal(t, "float64 big-endian", v.Type())
		}
	}
	f, err = netcdf3.Open(ndtest.Path("records.nc"))
	require.NoError(t, err)
	defer f.Close()
	assert.Contains(t, f.Dimensions(), netcdf3.Dimension{Name: "time", Length: 5, Record: true})
}

// TestRefusals: a file that ends early is an error before any value is read.
func TestRefusals(t *testing.T) {
	for _, name := range files {
		b, err := os.ReadFile(ndtest.Path(name))
		require.NoError(t, err)
		for _, n := range []int{0, 3, 7, 30, 100, len(b) - 5} {
			_, err := netcdf3.NewFile(bytes.NewReader(b[:n]), int64(n), "cut.nc")
			assert.ErrorContains(t, err, "cut.nc: ", "%s %d", name, n)
		}
	}
}

// FuzzFile reads variables of damaged files. Errors are allowed, but no panic and no memory
// beyond 64 bytes for each byte of the file and the buffers of a read.
func FuzzFile(f *testing.F) {
	for _, name := range files {
		b, err := os.ReadFile(ndtest.Path(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ndtest.Allocated(t, 4<<20+64*uint64(len(b)), func() {
			file, err := netcdf3.NewFile(bytes.NewReader(b), int64(len(b)), "fuzz")
			if err != nil {
				return
			}
			for i, v := range file.Variables() {
				if d, err := file.Dataset(v.Name); err == nil && i < 4 {
					ndtest.Corner(d)
				}
			}
		})
	})
}
