package output_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/output"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/netcdf3"
	"github.com/gowalrus/gowalrus/internal/npy"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/zarr"
)

func Example() {
	window := flow()
	dir, err := os.MkdirTemp("", "output")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := output.Create(filepath.Join(dir, "forecast.nc"), output.Header{Start: window, Times: []float32{1, 2}, Provenance: map[string]string{"seed": "1"}})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort()
	for range 2 {
		if err := w.Step(window.Frames[0]); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(w.Close(), output.Formats())
	// Output: <nil> [.h5 .hdf5 .nc .npz .vti .zarr]
}

const steps, members = 3, 2

// flow returns a window with a field of every order.
func flow() *data.Window {
	w := &data.Window{Name: "flow", Grid: []int{5, 4}, Boundaries: data.Boundaries{data.Both(data.Periodic), {Low: data.Wall, High: data.Open}},
		Fields:      []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: "D", Order: 2}, {Name: data.MaskName, Constant: true}},
		Coordinates: [][]float32{{2, 2.5, 3, 3.5, 4}, {-1, -0.75, -0.5, -0.25}}}
	for i := range w.Points() {
		w.Constants = append(w.Constants, float32(i%2))
	}
	w.Frames = [][]float32{frame(w, 9, 9)}
	return w
}

// frame returns values that differ between steps, members, channels and points.
func frame(w *data.Window, step, member int) []float32 {
	v := make([]float32, len(w.Channels(false))*w.Points())
	for i := range v {
		v[i] = float32(i)/7 + 1000*float32(step) - 100*float32(member)
	}
	return v
}

// write writes a forecast in every format to a folder.
func write(t *testing.T, dir, name string, n int) {
	t.Helper()
	h := output.Header{Start: flow(), Members: n, Provenance: map[string]string{"weights": "nano", "seed": "3"}}
	for k := range steps {
		h.Times = append(h.Times, 0.5+0.25*float32(k))
	}
	for _, ending := range output.Formats() {
		path := filepath.Join(dir, name+ending)
		w, err := output.Create(path, h)
		require.NoError(t, err, ending)
		for k := range steps {
			var all [][]float32
			for m := range max(n, 1) {
				all = append(all, frame(h.Start, k, m))
			}
			require.NoError(t, w.Step(all...), ending)
		}
		assert.ErrorContains(t, w.Step(h.Start.Frames...), "expected 3 steps", ending)
		require.NoError(t, w.Close(), ending)
		assert.ErrorContains(t, w.Step(h.Start.Frames...), "after Close")
		_, err = output.Create(path, h)
		assert.ErrorContains(t, err, "exist", ending)
	}
}

// TestFormats: the files have the frames, read by this library's readers.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "forecast", 0)
	write(t, dir, "ensemble", members)
	start := flow()
	path := func(name string) string { return filepath.Join(dir, name) }

	ds, err := well.Open(path("ensemble.hdf5"), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	require.Len(t, ds.Trajectories(), members)
	for m := range members {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: m, Stride: 1, Frames: steps}, nil)
		require.NoError(t, err)
		for k := range steps {
			assert.Equal(t, frame(start, k, m), w.Frames[k])
		}
		assert.Equal(t, []float32{0.5, 0.75, 1}, w.Times)
		assert.Equal(t, start.Coordinates, w.Coordinates)
		assert.Equal(t, start.Boundaries, w.Boundaries)
		assert.Equal(t, start.Constants, w.Constants)
	}
	w, err := npz.Read(path("forecast.npz"), npz.Options{})
	require.NoError(t, err)
	assert.Equal(t, frame(start, 2, 0), w.Frames[2])

	// The classic readers: channel 4, D_xy, of the last step and member.
	want := frame(start, 2, 1)[4*20 : 5*20]
	got := make([]float32, 20)
	nc, err := netcdf3.Open(path("ensemble.nc"))
	require.NoError(t, err)
	defer nc.Close()
	v, err := nc.Dataset("D_xy")
	require.NoError(t, err)
	require.NoError(t, v.Float32(got, []int{2, 1, 0, 0}, []int{1, 1, 5, 4}))
	assert.Equal(t, want, got)
	assert.Equal(t, "nano", nc.Attributes()["weights"])
	clear(got)
	z, err := zarr.Open(path("ensemble.zarr"))
	require.NoError(t, err)
	defer z.Close()
	v, err = z.Dataset("D_xy")
	require.NoError(t, err)
	require.NoError(t, v.Float32(got, []int{2, 1, 0, 0}, []int{1, 1, 5, 4}))
	assert.Equal(t, want, got)
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no temporary file is left")
}

// TestAbort: a file with missing steps does not appear, in any format.
func TestAbort(t *testing.T) {
	dir := t.TempDir()
	h := output.Header{Start: flow(), Times: []float32{1, 2}}
	for _, ending := range output.Formats() {
		for _, end := range []func(w *output.Writer){
			func(w *output.Writer) { assert.ErrorContains(t, w.Close(), "expected 2 steps, got 1") },
			func(w *output.Writer) { w.Abort() },
		} {
			w, err := output.Create(filepath.Join(dir, "x"+ending), h)
			require.NoError(t, err)
			require.NoError(t, w.Step(h.Start.Frames[0]))
			end(w)
			w.Abort()
			assert.NoError(t, w.Close(), "after Abort")
		}
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestRefuse: errors name the part of the header and what to do.
func TestRefuse(t *testing.T) {
	dir := t.TempDir()
	for want, c := range map[string]struct {
		ending string
		change func(h *output.Header)
	}{
		"ends in one of .h5, .hdf5":             {".txt", func(*output.Header) {}},
		"expected the window":                   {".nc", func(h *output.Header) { h.Start = nil }},
		"expected the frames from which":        {".nc", func(h *output.Header) { h.Start.Frames = nil }},
		"expected the time of at least":         {".nc", func(h *output.Header) { h.Times = nil }},
		"expected increasing numbers":           {".nc", func(h *output.Header) { h.Times = []float32{2, 1} }},
		`"time": expected the name`:             {".zarr", func(h *output.Header) { h.Start.Fields[0].Name = "time" }},
		`"a/b": expected the name`:              {".hdf5", func(h *output.Header) { h.Start.Fields[0].Name = "a/b" }},
		`provenance "title"`:                    {".nc", func(h *output.Header) { h.Provenance = map[string]string{"title": "x"} }},
		"expected their grid type":              {".nc", func(h *output.Header) { h.Start.Curvilinear = true }},
		"got spherical ones: choose .nc":        {".vti", func(h *output.Header) { h.Start.Curvilinear, h.GridType = true, "spherical" }},
		"axis y: expected coordinates that":     {".vti", func(h *output.Header) { h.Start.Coordinates[1][3] = 7 }},
		"expected the time of at least one ste": {".nc", func(h *output.Header) { h.Members = -1 }},
	} {
		h := output.Header{Start: flow(), Times: []float32{1}}
		c.change(&h)
		_, err := output.Create(filepath.Join(dir, "x"+c.ending), h)
		assert.ErrorContains(t, err, want)
	}
	w, err := output.Create(filepath.Join(dir, "x.nc"), output.Header{Start: flow(), Times: []float32{1}})
	require.NoError(t, err)
	defer w.Abort()
	assert.ErrorContains(t, w.Step(make([]float32, 3)), "expected 140 values (7 channels of 20 points), got 3")
	bad := frame(flow(), 0, 0)
	bad[21] = float32(math.NaN())
	assert.ErrorContains(t, w.Step(bad), "velocity_x is NaN at point 1")
}

// TestLines: a grid of one axis and one of three without coordinates are written, too.
func TestLines(t *testing.T) {
	for _, grid := range [][]int{{6}, {2, 3, 4}} {
		w := &data.Window{Name: "line", Grid: grid, Fields: []data.Field{{Name: "velocity", Order: 1}}}
		for range grid {
			w.Boundaries = append(w.Boundaries, data.Both(data.Wall))
		}
		w.Frames = [][]float32{frame(w, 0, 0)}
		dir := t.TempDir()
		for _, ending := range output.Formats() {
			out, err := output.Create(filepath.Join(dir, "line"+ending), output.Header{Start: w, Times: []float32{1}})
			require.NoError(t, err)
			require.NoError(t, out.Step(w.Frames[0]))
			require.NoError(t, out.Close())
		}
		ds, err := well.Open(filepath.Join(dir, "line.hdf5"), well.Options{})
		require.NoError(t, err)
		got, err := ds.Read(context.Background(), data.Span{Stride: 1, Frames: 1}, nil)
		require.NoError(t, err)
		assert.Equal(t, w.Frames, got.Frames)
		require.NoError(t, ds.Close())
	}
}

// TestPeers: h5py, scipy, xarray, zarr, NumPy and VTK read the same values. The phase
// formats of .ci/run names the Python that has them.
func TestPeers(t *testing.T) {
	python := os.Getenv("GOWALRUS_FORMATS_PYTHON")
	if python == "" {
		t.Skip("GOWALRUS_FORMATS_PYTHON is not set: .ci/run formats sets it")
	}
	dir := t.TempDir()
	write(t, dir, "forecast", 0)
	write(t, dir, "ensemble", members)
	var parts [][]float32
	for k := range steps {
		for m := range members {
			parts = append(parts, frame(flow(), k, m))
		}
	}
	f, err := os.Create(filepath.Join(dir, "frames.npy"))
	require.NoError(t, err)
	require.NoError(t, npy.Write(f, []int{steps, members, 7, 5, 4}, parts...))
	require.NoError(t, f.Close())
	out, err := exec.Command(python, filepath.Join("testdata", "peers.py"), dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "all values are equal")
}

// BenchmarkStep writes frames of 3 channels on a grid of 512 by 512 points.
func BenchmarkStep(b *testing.B) {
	w := &data.Window{Name: "flow", Grid: []int{512, 512}, Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Wall)}}
	w.Frames = [][]float32{frame(w, 0, 0)}
	for _, ending := range output.Formats() {
		b.Run(ending[1:], func(b *testing.B) {
			h := output.Header{Start: w}
			for k := range b.N {
				h.Times = append(h.Times, float32(k))
			}
			out, err := output.Create(filepath.Join(b.TempDir(), "x"+ending), h)
			require.NoError(b, err)
			b.SetBytes(int64(4 * len(w.Frames[0])))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				require.NoError(b, out.Step(w.Frames[0]))
			}
			out.Abort()
		})
	}
}

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	h := output.Header{Start: flow(), Times: []float32{1, 2}, Members: 2}
	path := filepath.Join(t.TempDir(), "x.zarr")
	w, err := output.Create(path, h)
	require.NoError(t, err)
	defer w.Abort()
	sweep.Run(t, sweep.Package{
		Funcs: []any{output.Create, output.Formats}, Types: []any{new(output.Header)}, Made: []any{(*output.Writer)(nil)},
		Values: []any{h, w, flow(), frame(flow(), 0, 0)}, Strings: []string{path, "y.nc", "y.vti", "y.npz", "y.hdf5"},
	})
}
