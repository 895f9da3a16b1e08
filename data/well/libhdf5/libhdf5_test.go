//go:build hdf5

package libhdf5_test

import (
	"context"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/libhdf5"
)

var testdata = filepath.Join("..", "..", "..", "testdata", "data")

// TestBothDriversAgree reads every file of the small data sets and every damaged file with
// both drivers: both must return the same headers and values, bit for bit, or both an
// error.
func TestBothDriversAgree(t *testing.T) {
	assert.Contains(t, well.Drivers(), libhdf5.Name)
	require.NoError(t, filepath.WalkDir(testdata, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".hdf5" || strings.Contains(path, "sources") {
			return err
		}
		// LZF is a plug-in of h5py, which is not part of the library.
		if strings.Contains(path, "36_unsupported_filter") {
			return nil
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compareFile(t, path) })
		return nil
	}))
}

// TestAddress: the library reads files of this machine only; the error says so.
func TestAddress(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir(testdata)))
	defer server.Close()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, err := well.Open(server.URL+"/shear_flow", well.Options{Split: "test", Driver: libhdf5.Name})
	assert.ErrorContains(t, err, `.hdf5: expected a driver that reads addresses, such as "go", got one that does not: download the file (gowalrus fetch), or choose another driver`)
}

func compareFile(t *testing.T, path string) {
	a, errA := readAll(path, well.DefaultDriver)
	b, errB := readAll(path, libhdf5.Name)
	if errA != nil || errB != nil {
		assert.Error(t, errA)
		assert.Error(t, errB)
		return
	}
	require.Equal(t, len(a), len(b))
	for i := range a {
		assert.Equal(t, a[i], b[i])
	}
}

// readAll reads every trajectory of a file.
func readAll(path, driver string) ([]*data.Window, error) {
	ds, err := well.Open(path, well.Options{Driver: driver})
	if err != nil {
		return nil, err
	}
	defer ds.Close()
	var out []*data.Window
	for i, tr := range ds.Trajectories() {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: tr.Steps}, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// TestWriters: each driver reads the files that the other writes.
func TestWriters(t *testing.T) {
	h := well.Header{
		Dataset: "cross", Trajectories: 2, Coordinates: [][]float32{{0, 1, 2, 3}, {0, 0.5, 1}}, Times: []float32{0, 1, 2},
		Fields:     []data.Field{{Name: "p"}, {Name: "u", Order: 1}, {Name: "T", Order: 2}, {Name: "mask", Constant: true}},
		Boundaries: data.Boundaries{{Low: data.Wall, High: data.Open}, data.Both(data.Periodic)},
		Parameters: []well.Parameter{{Name: "Größe", Value: 0.25}}, Scalars: []well.ScalarSpec{{Name: "energy"}},
	}
	for _, deflate := range []int{-1, 6} {
		var files []string
		for _, driver := range []string{well.DefaultDriver, libhdf5.Name} {
			h.Deflate = deflate
			path := filepath.Join(t.TempDir(), "a.hdf5")
			write(t, path, driver, h)
			files = append(files, path)
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			assert.Len(t, entries, 1, "nothing else is left")
		}
		var all [][]*data.Window
		for _, path := range files {
			for _, driver := range []string{well.DefaultDriver, libhdf5.Name} {
				list, err := readAll(path, driver)
				require.NoError(t, err, "%s by %s", path, driver)
				for _, w := range list {
					w.Origin, w.Name = data.Origin{}, ""
				}
				all = append(all, list)
			}
		}
		for _, list := range all[1:] {
			assert.Equal(t, all[0], list)
		}
	}
}

func write(t *testing.T, path, driver string, h well.Header) {
	w, err := well.Create(path, h, well.WriteOptions{Driver: driver})
	require.NoError(t, err)
	value := func(k int) []float32 {
		out := make([]float32, 7*12)
		for i := range out {
			out[i] = float32(math.Sin(float64(k*100 + i)))
		}
		return out
	}
	for trajectory := range 2 {
		for step := range 3 {
			require.NoError(t, w.Frame(trajectory, step, value(3*trajectory+step)))
		}
		require.NoError(t, w.Constants(trajectory, value(trajectory)[:12]))
		require.NoError(t, w.Scalar("energy", trajectory, value(trajectory)[:3]))
	}
	require.NoError(t, w.Close())
}

// TestAbort: an aborted file leaves nothing on disk.
func TestAbort(t *testing.T) {
	h := well.Header{Dataset: "cut", Trajectories: 1, Coordinates: [][]float32{{0, 1}}, Times: []float32{0},
		Fields: []data.Field{{Name: "p"}}, Boundaries: data.Boundaries{data.Both(data.Open)}}
	path := filepath.Join(t.TempDir(), "a.hdf5")
	w, err := well.Create(path, h, well.WriteOptions{Driver: libhdf5.Name})
	require.NoError(t, err)
	assert.ErrorContains(t, w.Close(), "trajectory 0: frame 0 was not written")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Empty(t, entries)
}
