package mapping_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
)

// read reads all frames of a trajectory.
func read(t *testing.T, m *mapping.Mapping, trajectory int) (*data.Window, *mapping.Dataset) {
	t.Helper()
	ds, err := m.Open(mapping.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ds.Close()) })
	w, err := ds.Read(context.Background(), data.Span{Trajectory: trajectory, Stride: 1, Frames: ds.Trajectories()[trajectory].Steps}, nil)
	require.NoError(t, err)
	require.NoError(t, w.Validate())
	return w, ds
}

// channel returns one variable channel of all frames.
func channel(w *data.Window, c int) (out [][]float32) {
	for _, f := range w.Frames {
		out = append(out, f[c*w.Points():(c+1)*w.Points()])
	}
	return out
}

// TestSteps: one file per step and array, in the order of their numbers (8, 9, 10, …), gives
// the frames of the file with all steps.
func TestSteps(t *testing.T) {
	whole, _ := read(t, parse(t, common+layouts["plain.npz"]), 0)
	m := parse(t, `name: steps
files: "steps/{array}_{time}.npy"
axes: x, y
fields:
  velocity: {x: ux, y: uy}
  density: rho
times: "{time}"
boundaries: {x: periodic, y: wall}
`)
	w, ds := read(t, m, 0)
	assert.Equal(t, channel(whole, 0), channel(w, 0))
	assert.Equal(t, channel(whole, 1), channel(w, 1))
	assert.Equal(t, channel(whole, 2), channel(w, 2))
	assert.Equal(t, []float32{8, 9, 10, 11, 12}, w.Times)
	assert.Equal(t, []float32{0, 1, 2, 3}, w.Coordinates[1])
	assert.Equal(t, []string{
		"the mapping has no coordinates for x: its points are counted from 0",
		"the mapping has no coordinates for y: its points are counted from 0",
		"the mapping has no split: 80, 10 and 10 percent of the trajectories are drawn at random with seed 0",
	}, ds.Notes())
	sameWritten(t, m)
}

// TestOrders: Fortran order, big-endian numbers, raw binary and folders per split.
func TestOrders(t *testing.T) {
	whole, _ := read(t, parse(t, common+layouts["runs"]), 0)
	rest := "fields: {density: array}\nboundaries: {x: periodic, y: wall}\nname: one\n"
	for name, text := range map[string]string{
		"fortran":     "files: npy/fortran.npy\naxes: time, x, y\n",
		"big":         "files: npy/big.npy\naxes: time, x, y\n",
		"fortran_big": "files: npy/fortran_big.npy\naxes: trajectory, time, x, y\n",
		"raw":         "files: raw/rho.bin\nraw: {type: float32 big-endian, shape: [5, 4, 6], offset: 16}\naxes: time, y, x\n",
		"raw F":       "files: raw/all.f64\nraw: {type: <f8, shape: [6, 4, 5], order: F}\naxes: x, y, time\n",
	} {
		m := parse(t, text+rest)
		w, _ := read(t, m, 0)
		assert.Equal(t, channel(whole, 0), w.Frames, name)
		sameWritten(t, m)
	}
	m := parse(t, `name: folders
files: "split/{split}/sim.h5"
axes: time, x, y
fields: {density: rho}
times: t
boundaries: {x: periodic, y: wall}
`)
	w, ds := read(t, m, 0)
	assert.Equal(t, channel(whole, 0), w.Frames)
	assert.Equal(t, map[string]int{"train": 1, "valid": 1}, ds.Splits())
	sameWritten(t, m)
}

// TestIndices: indices on other axes, fields without an axis of the grid, values that are
// missing, tensors, one-dimensional grids.
func TestIndices(t *testing.T) {
	m := parse(t, `name: slice
files: plain.npz
axes: trajectory, time, y, x
fields:
  line: "rho[y=1]"
  first: {array: "rho[time=0, y=2]"}
coordinates: {x: x}
times: {from: 1, step: 0.5}
boundaries: {x: periodic}
parameters: {nu: nu, n: n, k: 7}
`)
	w, ds := read(t, m, 1)
	whole, _ := read(t, parse(t, common+layouts["plain.npz"]), 1)
	for k := range 5 {
		for x := range 6 {
			assert.Equal(t, whole.Frames[k][x*4+1], w.Frames[k][x])
			assert.Equal(t, whole.Frames[0][x*4+2], w.Constants[x])
		}
	}
	assert.Equal(t, []float32{1, 1.5, 2, 2.5, 3}, w.Times)
	assert.Equal(t, []data.Scalar{{Name: "k", Constant: true, Values: []float32{7}}, {Name: "nu", Constant: true, Values: []float32{0.02}}, {Name: "n", Constant: true, Values: []float32{3}}}, w.Scalars)
	assert.Equal(t, []string{"k", "nu", "n"}, ds.Metadata().ConstantScalars)
	sameWritten(t, m)

	tensor := parse(t, `name: tensor
files: plain.npz
axes: trajectory, time, y, x
fields:
  D: {xx: rho, xy: "vel[c=0]", yx: "vel[c=1]", yy: rho, axes: "trajectory, time, y, x, c"}
boundaries: {x: open, y: open}
`)
	_, err := tensor.Open(mapping.Options{})
	assert.ErrorContains(t, err, "line 5: array rho: axis c: expected trajectory, time, component or an axis of the grid")
	tensor.Fields[0].Components["xx"] = mapping.Source{Array: "rho"}
	tensor.Fields[0].Components["yy"] = mapping.Source{Array: "rho"}
	w, _ = read(t, tensor, 0)
	assert.Equal(t, []string{"D_xx", "D_xy", "D_yx", "D_yy"}, w.Channels(false))
	whole, _ = read(t, parse(t, common+layouts["plain.npz"]), 0)
	assert.Equal(t, channel(whole, 2), channel(w, 1)) // entry 0 of vel is y
	assert.Equal(t, channel(whole, 1), channel(w, 2))

	symmetric := parse(t, `name: symmetric
files: plain.npz
axes: trajectory, time, y, x
fields:
  C: {xx: rho, yy: rho, xy: {array: "vel[c=1]", axes: "trajectory, time, y, x, c"}, symmetric: true}
boundaries: {x: open, y: open}
`)
	w, _ = read(t, symmetric, 0)
	assert.Equal(t, channel(whole, 1), channel(w, 1))
	assert.Equal(t, channel(whole, 1), channel(w, 2))

	units := parse(t, `name: units
files: plain.npz
axes: trajectory, time, y, x
fields:
  temperature: {array: rho, scale: 100, offset: -273.15, units: K}
  mask: {array: solid, axes: "y, x", scale: -1, offset: 1}
boundaries: {x: open, y: open}
`)
	w, _ = read(t, units, 0)
	for i, v := range channel(whole, 0)[2] {
		assert.Equal(t, float32(float64(v)*100-273.15), w.Frames[2][i])
		assert.Equal(t, 1-whole.Constants[i], w.Constants[i])
	}
	sameWritten(t, units)

	missing := "name: holes\nfiles: three.zarr\naxes: time, x\nfields: {a: %s}\nboundaries: {x: open}\n"
	ds, err = parse(t, fmt.Sprintf(missing, `{array: "../two.zarr/holes"}`)).Open(mapping.Options{})
	require.ErrorContains(t, err, "expected an array of this name, the Zarr file has")
	require.Nil(t, ds)
	holes := strings.Replace(missing, "three", "two", 1)
	ds, err = parse(t, fmt.Sprintf(holes, "holes")).Open(mapping.Options{})
	require.NoError(t, err)
	defer ds.Close()
	_, err = ds.Read(context.Background(), data.Span{Stride: 1, Frames: 4}, nil)
	assert.ErrorContains(t, err, "line 4: "+ndtest.Path("two.zarr")+": array holes: trajectory 0 step 0: a is NaN at [x] [2]: expected finite float32 values: state fill: 0")
	w, _ = read(t, parse(t, fmt.Sprintf(holes, "{array: holes, fill: -3}")), 0)
	assert.Equal(t, []float32{1, 1, -3, -3}, w.Frames[1])
	assert.Equal(t, []float32{-3, -3, -3, -3}, w.Frames[2])
}

// TestGroups: one group of an HDF5 file per trajectory, and a curvilinear grid.
func TestGroups(t *testing.T) {
	m, err := mapping.Parse([]byte(`name: reaction
files: 2D_diff-react_NA_NA.h5
axes: time, r, theta, channel
grid_type: polar
grid: r, theta
fields: {A: "{trajectory}/data[channel=0]", B: "{trajectory}/data[channel=1]"}
coordinates: {r: "{trajectory}/grid/x", theta: "{trajectory}/grid/y"}
times: "{trajectory}/grid/t"
boundaries: {r: wall, theta: periodic}
parameters: {run: "{trajectory}"}
split: {train: [0], test: [1]}
`), filepath.Join("..", "..", "..", "testdata", "data", "sources", "PDEBench"))
	require.NoError(t, err)
	w, ds := read(t, m, 1)
	assert.Len(t, w.Frames, 15)
	assert.Equal(t, []float32{1}, w.Scalars[0].Values)
	assert.Equal(t, "polar", ds.Metadata().GridType)
	assert.True(t, w.Curvilinear)
	sameWritten(t, m)
}

// TestStepGroups: one group of an HDF5 file per step, with its time as an attribute, and
// several runs in one file.
func TestStepGroups(t *testing.T) {
	dir := t.TempDir()
	w, err := hdf5.Create(filepath.Join(dir, "out.h5"))
	require.NoError(t, err)
	for run := range 2 {
		require.NoError(t, w.Group(fmt.Sprintf("/run%d", run)))
		for step := range 12 {
			group := fmt.Sprintf("/run%d/step_%d", run, step)
			require.NoError(t, w.Group(group))
			require.NoError(t, w.Attribute(group, "time", 0.5*float64(step)))
			d, err := w.Dataset(group+"/rho", driver.Spec{Type: "float32", Shape: []int{2, 3}})
			require.NoError(t, err)
			require.NoError(t, d.Float32([]float32{float32(100*run + step), 1, 2, 3, 4, 5}, []int{0, 0}, []int{2, 3}))
		}
	}
	require.NoError(t, w.Close())
	text := `name: groups
files: out.h5
axes: y, x
fields: {density: "run{trajectory}/step_{time}/rho"}
times: "@run{trajectory}/step_{time}/time"
boundaries: {x: open, y: open}
split: {train: 0.5, test: 0.5}
`
	m, err := mapping.Parse([]byte(text), dir)
	require.NoError(t, err)
	got, ds := read(t, m, 1)
	require.Len(t, ds.Trajectories(), 2)
	assert.Equal(t, 1, ds.Trajectories()[1].Index)
	require.Len(t, got.Frames, 12)
	assert.Equal(t, float32(5.5), got.Times[11])
	assert.Equal(t, []float32{110, 3, 1, 4, 2, 5}, got.Frames[10])
	sameWritten(t, m)
	m.Times.Attribute = "time"
	_, err = m.Open(mapping.Options{})
	assert.ErrorContains(t, err, `line 5: `+filepath.Join(dir, "out.h5")+`: expected an attribute "time" of the HDF5 file, got none`)
}

// TestManyFiles: more files than stay open, read by several goroutines, give the values of
// each file.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		b := []byte{byte(i), 1, 2, 3, 4, 5}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("run%d_t%d.raw", i/100, i%100)), b, 0o644))
	}
	m, err := mapping.Parse([]byte(`name: many
files: "run{trajectory}_t{time}.raw"
raw: {type: uint8, shape: [2, 3]}
axes: y, x
fields: {a: array}
boundaries: {x: open, y: open}
split: {train: "run0*", valid: "run1*"}
`), dir)
	require.NoError(t, err)
	ds, err := m.Open(mapping.Options{Split: "valid"})
	require.NoError(t, err)
	require.Len(t, ds.Trajectories(), 1)
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			w := new(data.Window)
			for i := range 100 {
				at := (i*37 + g*11) % 98
				_, err := ds.Read(context.Background(), data.Span{Start: at, Stride: 2, Frames: 1 + g%2}, w)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, []float32{float32(100 + at), 3, 1, 4, 2, 5}, w.Frames[0])
			}
		})
	}
	wait.Wait()
	require.NoError(t, ds.Close())
	_, err = ds.Read(context.Background(), data.Span{Stride: 1, Frames: 1}, nil)
	assert.ErrorIs(t, err, fs.ErrClosed)
	_, err = m.Open(mapping.Options{MemoryBytes: -1})
	assert.Error(t, err)
	ds, err = m.Open(mapping.Options{MemoryBytes: 870})
	require.NoError(t, err)
	_, err = ds.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
	assert.ErrorContains(t, err, "expected a window of at most 30 bytes")
	require.NoError(t, ds.Close())
}

// TestFortran: unformatted sequential files have the length of each record before and after
// it.
func TestFortran(t *testing.T) {
	dir := t.TempDir()
	var b []byte
	for step := range 3 {
		b = binary.BigEndian.AppendUint32(b, 48)
		for i := range 6 {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(float64(10*step+i)))
		}
		b = binary.BigEndian.AppendUint32(b, 48)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "u.dat"), b, 0o644))
	text := `name: fortran
files: u.dat
raw: {type: float64 big-endian, shape: [2, 3, 3], order: F, markers: 4}
axes: x, y, time
fields: {u: array}
boundaries: {x: open, y: open}
split: {train: 1}
`
	m, err := mapping.Parse([]byte(text), dir)
	require.NoError(t, err)
	w, _ := read(t, m, 0)
	assert.Equal(t, [][]float32{{0, 2, 4, 1, 3, 5}, {10, 12, 14, 11, 13, 15}, {20, 22, 24, 21, 23, 25}}, w.Frames)
	m.Raw.Shape = []int{3, 3, 2}
	_, err = m.Open(mapping.Options{})
	assert.ErrorContains(t, err, "raw: expected 160 bytes")
	m.Raw.Shape, m.Raw.Type, m.Raw.Tail = []int{3, 3, 3}, "float32 big-endian", 168-3*(36+8)
	_, err = m.Open(mapping.Options{})
	assert.ErrorContains(t, err, "expected records of 36 bytes, as shape and type say, got 805306368 (or 48, big-endian) in the first marker")
	guess, err := mapping.Guess(filepath.Join(dir, "u.dat"), dir)
	require.NoError(t, err)
	assert.Contains(t, string(guess), "raw: {type: float32 big-endian, shape: [3, 12], markers: 4}   # CHECK: Fortran records, here 3 of 48 bytes")
}

// TestLazy: opening a file of 4 GiB and reading its last frame takes memory for one frame.
func TestLazy(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "large.bin"))
	require.NoError(t, err)
	if err := f.Truncate(4 << 30); err != nil {
		t.Skip("no room for sparse files: ", err)
	}
	require.NoError(t, f.Close())
	m, err := mapping.Parse([]byte(`name: large
files: large.bin
raw: {type: float32, shape: [4096, 512, 512]}
axes: time, y, x
fields: {a: array}
boundaries: {x: open, y: open}
split: {train: 1}
`), dir)
	require.NoError(t, err)
	ndtest.Allocated(t, 8<<20, func() {
		ds, err := m.Open(mapping.Options{})
		require.NoError(t, err)
		w, err := ds.Read(context.Background(), data.Span{Start: 4095, Stride: 1, Frames: 1}, nil)
		require.NoError(t, err)
		assert.Len(t, w.Frames[0], 512*512)
		require.NoError(t, ds.Close())
	})
}

// TestRefusals: every refusal names the line of the mapping, and file, array and axis where
// there are some, and says what to do.
func TestRefusals(t *testing.T) {
	good := `name: fixture
files: plain.npz
axes: trajectory, time, y, x
fields:
  density: rho
  velocity: {array: vel, axes: "trajectory, time, y, x, component", components: "y, x"}
coordinates: {x: x, y: y}
times: t
boundaries: {x: periodic, y: wall/open}
split: {train: 0.5, valid: 0.5}
`
	_, err := parse(t, good).Open(mapping.Options{})
	require.NoError(t, err)
	file := ndtest.Path("plain.npz")
	for name, c := range map[string]struct {
		old, new string
		want     string
	}{
		"empty":           {good, "", "expected name, files, axes, fields and boundaries, got an empty text"},
		"list":            {good, "- a\n", "line 1: mapping: expected keys such as name"},
		"unknown key":     {"times: t", "time: t", `line 8: mapping: unknown key "time": expected one of axes, boundaries, coordinates`},
		"twice":           {"times: t", "times: t\ntimes: t", "line 9"},
		"name":            {"name: fixture", "name: a/b", "line 1: expected the name of the data set"},
		"no file":         {"plain.npz", "plane.npz", "line 2: expected a file " + ndtest.Path("plane.npz") + ": "},
		"no match":        {"plain.npz", "run_{trajectory}.npz", "line 2: expected files that match run_{trajectory}.npz, got none among classic.nc, data64.nc"},
		"braces":          {"files: plain.npz", "files: {array}.npy", "line 2"},
		"array":           {"rho", "rhoo", "line 5: " + file + ": array rhoo: expected an array of this name, the NPZ file has rho, vel, solid, x, y, t, nu, n: correct the name"},
		"rank":            {"density: rho", "density: solid", `line 5: ` + file + `: array solid: expected 4 axes ([trajectory time y x]), got shape [4 6]: give the array axes of its own`},
		"order":           {"axes: trajectory, time, y, x", "axes: trajectory, time, x, y", "line 6: " + file + ": array vel: axis y: expected the length 6, as in array rho of plain.npz, got 4: correct the order of the axes"},
		"unknown axis":    {"axes: trajectory, time, y, x", "axes: trajectory, tim, y, x", "line 5: array rho: axis tim: expected trajectory, time, component or an axis of the grid [x y], got tim: correct the name (Cartesian axes are x, y and z), or give an index such as rho[tim=0]"},
		"twice axis":      {"axes: trajectory, time, y, x", "axes: trajectory, time, x, x", "axis x: expected each axis once"},
		"no components":   {`, components: "y, x"`, "", "line 6: fields.velocity: expected components: the names along the axis component in their order"},
		"bad components":  {`"y, x"}`, `"u, v"}`, "line 6: expected one array, the components [x y] of a vector or [xx xy yx yy] of a tensor, got [u v]: name the components by the axes"},
		"one component":   {`"y, x"}`, `"y"}`, "line 6: expected one array, the components [x y]"},
		"index":           {"density: rho", `density: "rho[c=5]"`, "line 5: array rho: expected an index on one of the axes [trajectory time y x], got one on c"},
		"large index":     {"density: rho", `density: "rho[time=5]"`, "line 5: " + file + ": array rho: axis time: expected an index below 5, got 5"},
		"no boundary":     {", y: wall/open", "", "line 9: axis y: expected the boundary, got none; there is no default"},
		"TODO":            {"y: wall/open", "y: TODO", `line 9: boundaries.y: expected periodic, wall, open, or the low and the high end such as wall/open, got "TODO": fill in`},
		"half periodic":   {"y: wall/open", "y: wall/periodic", "line 9"},
		"other boundary":  {"y: wall/open", "y: wall, z: wall", "line 9: expected boundaries of the axes [x y], got one of z"},
		"no boundaries":   {"boundaries: {x: periodic, y: wall/open}\n", "", "axis x: expected the boundary, got none; there is no default: add a line such as boundaries: {x: periodic, y: periodic}"},
		"coordinates":     {"x: x,", "x: y,", "line 7: array y: axis x: expected 6 coordinates, one per point of the fields, got 4"},
		"mesh":            {"x: x,", "x: solid,", "line 7: " + file + ": array solid: expected an array of at most 1 axes, got shape [4 6]: state its axes"},
		"times":           {"times: t", "times: x", "line 8: " + file + ": expected 5 times, one per step, got 6"},
		"falling times":   {"times: t", "times: [0, 1, 1, 2, 3]", "line 8: " + file + ": expected finite, increasing numbers as float32, got 1 after 1 at step 2"},
		"empty range":     {"times: t", "times: {from: 1}", "line 8: times: expected from and to, which differ, or from and a step"},
		"shares":          {"train: 0.5", "train: 0.6", "line 10: expected shares that add up to 1, got 1.1"},
		"numbers":         {"{train: 0.5, valid: 0.5}", "{train: [0]}", "line 10: " + file + ": expected every trajectory from 0 to 1 in a split, got none for 1"},
		"patterns":        {"{train: 0.5, valid: 0.5}", `{train: "run*"}`, "line 10: plain.npz: expected a pattern that matches the file"},
		"mixed":           {"{train: 0.5, valid: 0.5}", "{train: 0.5, valid: [1]}", "line 10: split: expected shares, lists of trajectories or patterns of files, got several"},
		"parameter":       {"times: t", `times: t` + "\n" + `parameters: {a: "{nu}"}`, "line 9: expected a name in braces of the pattern of the files, got {nu}"},
		"attribute":       {"times: t", `times: t` + "\n" + `parameters: {a: "@nu"}`, `line 9: ` + file + `: expected an attribute "nu" of the NPZ file, got none`},
		"constant":        {"density: rho", "density: {array: rho, constant: true}", "line 5: array rho: expected a constant field without an axis time"},
		"all constant":    {"fields:\n  density: rho\n  velocity: {array: vel, axes: \"trajectory, time, y, x, component\", components: \"y, x\"}", "fields: {mask: {array: solid, axes: \"y, x\"}}", "line 4: expected at least one field that varies with time"},
		"no trajectories": {"density: rho", `density: "rho[trajectory=0]"`, "line 5: " + file + ": array rho: expected an axis trajectory of length 2"},
		"cartesian":       {"axes: trajectory, time, y, x", "axes: trajectory, time, lat, lon", "line 5: array rho: axis lat: expected trajectory, time, component or an axis of the grid [x y], got lat"},
		"grid":            {"times: t", "times: t\ngrid_type: spherical", "line 9: expected grid, the names of the axes of a spherical grid"},
		"file":            {"density: rho", "density: rho in nowhere.npz", "line 5: " + ndtest.Path("nowhere.npz") + ": array rho:"},
		"text file":       {"density: rho", "density: rho in record.py", "expected HDF5, NetCDF, NPY, NPZ or Zarr, got another format: for binary files without a header, state raw"},
		"raw size":        {"times: t", "times: t\nraw: {type: float32, shape: [2, 5, 4, 6]}", "raw: expected 960 bytes (offset 0, shape [2 5 4 6] of float32, markers of 0 bytes, tail 0), got"},
		"clash":           {"density: rho", "velocity_x: rho", "both have the channel velocity_x"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, c.old)
			m, err := mapping.Parse([]byte(strings.Replace(good, c.old, c.new, 1)), ndtest.Dir())
			if err == nil {
				var ds *mapping.Dataset
				ds, err = m.Open(mapping.Options{})
				assert.Nil(t, ds)
			}
			var e *mapping.Error
			require.ErrorAs(t, err, &e)
			assert.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "mapping: line ") || e.Line == 0, err)
		})
	}
}

// TestGuess: a guess opens once the boundaries are filled in, with the values that a mapping
// by hand gives, wherever names and lengths determine the axes.
func TestGuess(t *testing.T) {
	for _, path := range []string{"plain.npz", "packed.npz", "runs", "classic.nc", "offset64.nc", "data64.nc", "four.nc", "xarray2.zarr", "xarray3.zarr", "plain.h5", "split", "steps", "records.nc", "npy/big.npy"} {
		t.Run(path, func(t *testing.T) {
			text, err := mapping.Guess(ndtest.Path(path), ndtest.Dir())
			require.NoError(t, err)
			assert.Contains(t, string(text), "With the boundaries filled in, it reads: trajectories ")
			_, err = mapping.Parse(text, ndtest.Dir())
			assert.ErrorContains(t, err, `got "TODO": fill in the boundary of the axis`)
			m, err := mapping.Parse([]byte(strings.ReplaceAll(string(text), "TODO", "open")), ndtest.Dir())
			require.NoError(t, err)
			w, ds := read(t, m, 0)
			if by, ok := layouts[path]; ok {
				want, _ := read(t, parse(t, common+by), 0)
				assert.Equal(t, want.Frames[0][:24], w.Frames[0][:24])
				assert.Equal(t, want.Times, w.Times)
				if path != "runs" {
					assert.Equal(t, want.Constants, w.Constants)
				}
				assert.Contains(t, ds.Metadata().Channels(), "velocity_x")
			}
		})
	}
	_, err := mapping.Guess(ndtest.Path("nowhere"), ".")
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = mapping.Guess(t.TempDir(), ".")
	assert.ErrorContains(t, err, "expected files of arrays")
	text, err := mapping.Guess(ndtest.Path("raw"), ".")
	require.NoError(t, err)
	assert.Contains(t, string(text), "raw: {type: float32, shape:")
}
