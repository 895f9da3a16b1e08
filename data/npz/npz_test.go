package npz_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/npy"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

func Example() {
	set, err := sample.Load()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "npz")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "waves.npz")
	if err := npz.Write(path, set.Test[0]); err != nil {
		log.Fatal(err)
	}
	w, err := npz.Read(path, npz.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Name, len(w.Frames), w.Grid, w.Channels(false), w.Boundaries)
	// Output: test.0 31 [48 48] [pressure velocity_x velocity_y] [wall/open wall/open]
}

// window returns a window with every part that a file has.
func window(grid []int) *data.Window {
	w := &data.Window{Name: "tank", Grid: grid, Times: []float32{0, 0.5},
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: data.MaskName, Constant: true}}}
	for range grid {
		w.Boundaries = append(w.Boundaries, data.Boundary{Low: data.Wall, High: data.Open})
	}
	fill := func(channels, from int) []float32 {
		v := make([]float32, channels*w.Points())
		for i := range v {
			v[i] = float32(from + i)
		}
		return v
	}
	for t := range 2 {
		w.Frames = append(w.Frames, fill(len(w.Channels(false)), 1000*t))
	}
	w.Constants = fill(1, 7)
	return w
}

// TestRoundTrip: what Write writes, Read reads, on grids of one to three axes.
func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.npz")
	for _, grid := range [][]int{{5}, {3, 4}, {2, 3, 4}} {
		want := window(grid)
		require.NoError(t, npz.Write(path, want), "replaces the file before")
		got, err := npz.Read(path, npz.Options{})
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	theta := window([]int{3, 4})
	theta.Axes, theta.Curvilinear = []string{"theta", "phi"}, true
	require.NoError(t, npz.Write(path, theta))
	got, err := npz.Read(path, npz.Options{Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}})
	require.NoError(t, err)
	assert.Equal(t, theta.Axes, got.Axes)
	assert.Equal(t, data.Both(data.Periodic), got.Boundaries[1], "options replace the file's")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left")
}

// save writes an archive as numpy.savez does: arrays alone.
func save(t *testing.T, members map[string][]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.npz")
	f, err := os.Create(path)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for name, raw := range members {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write(raw)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return path
}

func array(t *testing.T, values []float32, shape ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, npy.Write(&b, shape, values))
	return b.Bytes()
}

// TestForeign: files of other programs need a description; an NPY file is frames alone.
func TestForeign(t *testing.T) {
	frames := array(t, make([]float32, 2*3*5*4), 2, 3, 5, 4)
	o := npz.Options{Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Open)}}
	path := save(t, map[string][]byte{"frames.npy": frames})
	w, err := npz.Read(path, o)
	require.NoError(t, err)
	assert.Equal(t, []int{5, 4}, w.Grid)
	assert.Len(t, w.Frames, 2)
	single := filepath.Join(t.TempDir(), "frames.npy")
	require.NoError(t, os.WriteFile(single, frames, 0o666))
	w, err = npz.Read(single, o)
	require.NoError(t, err)
	assert.Len(t, w.Frames[1], 60)

	_, err = npz.Read(path, npz.Options{Boundaries: o.Boundaries})
	assert.ErrorContains(t, err, path+": expected the fields of its channels")
	_, err = npz.Read(path, npz.Options{Fields: o.Fields})
	assert.ErrorContains(t, err, path+": expected the boundaries of its axes")
	_, err = npz.Read(path, npz.Options{Fields: o.Fields[:1], Boundaries: o.Boundaries})
	assert.ErrorContains(t, err, "expected 1 channels [density] for the fields, got 3 in shape [2 3 5 4]")
	_, err = npz.Read(path, npz.Options{Fields: o.Fields, Boundaries: o.Boundaries[:1]})
	assert.ErrorContains(t, err, "boundaries: expected one per axis (2), got 1")
}

func TestErrors(t *testing.T) {
	o := npz.Options{Fields: []data.Field{{Name: "density"}, {Name: "mask", Constant: true}}, Boundaries: data.Boundaries{data.Both(data.Wall)}}
	frames := array(t, make([]float32, 6), 2, 1, 3)
	for want, members := range map[string]map[string][]byte{
		"expected shape [T, C, H]":                    {"frames.npy": array(t, make([]float32, 6), 2, 3)},
		`array "frames": not found: the file has [`:   {"values.npy": frames},
		`array "constants": not found`:                {"frames.npy": frames},
		"array constants: expected shape [1 3]":       {"frames.npy": frames, "constants.npy": array(t, make([]float32, 3), 3)},
		"times: expected one per frame (2), got 1":    {"frames.npy": frames, "constants.npy": array(t, make([]float32, 3), 1, 3), "times.npy": array(t, []float32{0}, 1)},
		"field density is NaN at [1]":                 {"frames.npy": array(t, []float32{0, 0, 0, 0, float32(math.NaN()), 0}, 2, 1, 3), "constants.npy": array(t, make([]float32, 3), 1, 3)},
		`window.json: json: unknown field "colour"`:   {"frames.npy": frames, "window.json": []byte(`{"colour": 1}`)},
		"window.json: expected at most 1048576 bytes": {"frames.npy": frames, "window.json": make([]byte, 2<<20)},
	} {
		_, err := npz.Read(save(t, members), o)
		assert.ErrorContains(t, err, want)
	}
	_, err := npz.Read("nowhere.npz", o)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorIs(t, npz.Write(filepath.Join(t.TempDir(), "none", "w.npz"), window([]int{3})), os.ErrNotExist)
	assert.ErrorContains(t, npz.Write("w.npz", nil), "expected a window")
}

// FuzzRead: no file panics, and what is read is valid and is written and read again.
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.npz")
	if err := npz.Write(path, window([]int{2, 3})); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		from, to := filepath.Join(dir, "a.npz"), filepath.Join(dir, "b.npz")
		require.NoError(t, os.WriteFile(from, raw, 0o666))
		w, err := npz.Read(from, npz.Options{})
		if err != nil {
			return
		}
		require.NoError(t, npz.Write(to, w))
		again, err := npz.Read(to, npz.Options{})
		require.NoError(t, err)
		require.Equal(t, w, again)
	})
}

// TestWriter: an ensemble is written step by step and is refused as a window. A file with
// too few steps does not appear.
func TestWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.npz")
	w := window([]int{3, 4})
	w.Coordinates = [][]float32{{0, 1, 2}, {0, 2, 4, 8}}
	o := npz.WriterOptions{Steps: 2, Times: w.Times, Members: 2, Provenance: map[string]string{"seed": "3"}}
	out, err := npz.Create(path, w, o)
	require.NoError(t, err)
	for _, frame := range w.Frames {
		require.NoError(t, out.Step(frame, frame))
	}
	assert.ErrorContains(t, out.Step(w.Frames...), "expected 2 steps of 2 frames")
	require.NoError(t, out.Close())
	_, err = npz.Read(path, npz.Options{})
	assert.ErrorContains(t, err, "an ensemble of 2 members")
	f, err := npy.Open(path)
	require.NoError(t, err)
	defer f.Close()
	frames, err := f.Dataset("frames")
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 3, 3, 4}, frames.Shape())
	got := make([]float32, 36)
	require.NoError(t, frames.Float32(got, []int{1, 1, 0, 0, 0}, []int{1, 1, 3, 3, 4}))
	assert.Equal(t, w.Frames[1], got)

	require.NoError(t, npz.Write(path, w))
	again, err := npz.Read(path, npz.Options{})
	require.NoError(t, err)
	assert.Equal(t, w, again, "with coordinates")

	short := filepath.Join(t.TempDir(), "short.npz")
	out, err = npz.Create(short, w, npz.WriterOptions{Steps: 2})
	require.NoError(t, err)
	assert.ErrorContains(t, out.Step(w.Frames[0][1:]), "expected 36 values, got 35")
	assert.ErrorContains(t, out.Close(), "expected 2 steps, got 0")
	assert.NoFileExists(t, short)
	for _, o := range []npz.WriterOptions{{}, {Steps: 1, Members: -1}, {Steps: 1, Times: []float32{1, 2}}} {
		_, err = npz.Create(short, w, o)
		assert.ErrorContains(t, err, "expected at least one step")
	}
}

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.npz")
	require.NoError(t, npz.Write(path, window([]int{2, 3})))
	made, err := npz.Create(path+".other", window([]int{2, 3}), npz.WriterOptions{Steps: 2, Members: 2})
	require.NoError(t, err)
	defer made.Abort()
	sweep.Run(t, sweep.Package{Funcs: []any{npz.Create, npz.Read, npz.Write}, Made: []any{(*npz.Writer)(nil)}, Values: []any{window([]int{2, 3}), made, npz.WriterOptions{Steps: 2, Members: 2}, make([]float32, 18)}, Strings: []string{path}})
}
