package convert

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/hdf5"
	"github.com/gowalrus/gowalrus/internal/npy"
)

var sources = filepath.Join("..", "..", "testdata", "data", "sources")

// TestConvert converts every source and compares the result with the source: names, shapes,
// boundaries, and one value that is looked up by its position.
func TestConvert(t *testing.T) {
	periodic, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	for _, c := range []struct {
		file, format, split string
		fields              []data.Field
		bcs                 data.Boundaries
		trajectories, steps int
		grid                []int
		scalars             []string
		// A channel, its dataset, and the position of one value in that dataset: in the
		// last trajectory, at frame 3 and point (5, 7(, 3)).
		channel string
		dataset string
		place   []int
	}{
		{"PDEBench/2D_CFD_Rand_M0.1_Eta1e-08_Zeta1e-08_periodic_32_Train.hdf5", "pdebench-cns", "train",
			[]data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}}, data.Boundaries{periodic, periodic}, 3, 15, []int{32, 32},
			[]string{"M", "eta", "zeta"}, "velocity_y", "/Vy", []int{2, 3, 5, 7}},
		{"PDEBench/3D_CFD_Rand_M1.0_Eta1e-08_Zeta1e-08_periodic_Train.hdf5", "pdebench-cns", "train",
			[]data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}}, data.Boundaries{periodic, periodic, periodic}, 1, 9, []int{16, 12, 16},
			[]string{"M", "eta", "zeta"}, "velocity_z", "/Vz", []int{0, 3, 5, 7, 3}},
		{"PDEBench/2D_diff-react_NA_NA.h5", "pdebench-diff-react", "train", []data.Field{{Name: "A"}, {Name: "B"}}, data.Boundaries{wall, wall}, 2, 15, []int{32, 32},
			[]string{"F", "k", "seed"}, "B", "/0001/data", []int{3, 5, 7, 1}},
		{"PDEBench/ns_incom_inhom_2d-0.h5", "pdebench-ns", "train",
			[]data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}, {Name: "force", Order: 1, Constant: true}}, data.Boundaries{wall, wall}, 2, 20, []int{32, 64},
			nil, "velocity_y", "/velocity", []int{1, 3, 5, 7, 1}},
		{"PDEArena/NavierStokes2D_valid_42_0.50000.h5", "pdearena", "valid", []data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}}, data.Boundaries{wall, wall}, 1, 14, []int{80, 24},
			[]string{"buo_y"}, "velocity_x", "/valid/vx", []int{0, 3, 5, 7}},
		{"PDEGym/CE-RM.nc", "pdegym", "train", []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}}, data.Boundaries{periodic, periodic}, 2, 21, []int{32, 32},
			nil, "pressure", "/solution", []int{1, 3, 3, 5, 7}},
		{"PDEGym/CE-RP.nc", "pdegym", "train", []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "tracer"}, {Name: "velocity", Order: 1}}, data.Boundaries{periodic, periodic}, 2, 21, []int{32, 32},
			nil, "tracer", "/data", []int{1, 3, 4, 5, 7}},
		{"PDEGym/NS-SL.nc", "pdegym", "train", []data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}}, data.Boundaries{periodic, periodic}, 2, 15, []int{32, 32},
			nil, "velocity_y", "/velocity", []int{1, 3, 1, 5, 7}},
		{"PDEGym/Wave-Layer.nc", "pdegym", "train", []data.Field{{Name: "pressure"}, {Name: "speed_of_sound", Constant: true}}, data.Boundaries{open, open}, 2, 16, []int{48, 48},
			nil, "pressure", "/solution", []int{1, 3, 5, 7}},
		{"BubbleML_2/PoolBoiling-Subcooled-FC72-2D/Twall_97.hdf5", "bubbleml", "train",
			[]data.Field{{Name: "temperature"}, {Name: "pressure"}, {Name: "signed_distance"}, {Name: "massflux"}, {Name: "velocity", Order: 1}, {Name: "interface_normal", Order: 1}},
			data.Boundaries{wall, {Low: data.Wall, High: data.Open}}, 1, 20, []int{80, 24}, []string{"bulk_temp", "cpgas", "gravy", "heater_advAngle"}, "interface_normal_y", "/normy", []int{3, 7, 5}},
	} {
		t.Run(c.file, func(t *testing.T) {
			input := filepath.Join(sources, c.file)
			frames := 0
			r, err := Convert(context.Background(), Options{Input: input, Out: t.TempDir(), Progress: func(done, total int) {
				frames = done
				assert.Equal(t, c.trajectories*c.steps, total)
			}})
			require.NoError(t, err)
			assert.Equal(t, c.format, r.Format)
			assert.Equal(t, c.trajectories*c.steps, frames)
			assert.Equal(t, []string{filepath.Join(r.Dir, "data", c.split, stem(c.file)+".hdf5")}, r.Files)
			ds, err := well.Open(r.Dir, well.Options{Split: c.split})
			require.NoError(t, err)
			defer ds.Close()
			require.NoError(t, ds.Check(context.Background(), nil))
			assert.Equal(t, c.fields, ds.Metadata().Fields)
			assert.Equal(t, c.bcs, ds.Files()[0].Boundaries)
			assert.Equal(t, c.grid, ds.Metadata().Grid)
			assert.Len(t, ds.Trajectories(), c.trajectories)
			assert.Equal(t, c.steps, ds.Trajectories()[0].Steps)
			assert.Subset(t, ds.Metadata().ConstantScalars, c.scalars)
			w, err := ds.Read(context.Background(), data.Span{Trajectory: c.trajectories - 1, Start: 3, Stride: 1, Frames: 1}, nil)
			require.NoError(t, err)
			at := 5*c.grid[1] + 7
			if len(c.grid) == 3 {
				at = at*c.grid[2] + 3
			}
			for i, name := range w.Channels(false) {
				if name == c.channel {
					assert.Equal(t, element(t, input, c.dataset, c.place), w.Frames[0][i*w.Points()+at])
					return
				}
			}
			t.Errorf("no channel %s", c.channel)
		})
	}
}

func element(t *testing.T, file, dataset string, place []int) float32 {
	f, err := hdf5.Open(file)
	require.NoError(t, err)
	defer f.Close()
	d, err := f.Dataset(dataset)
	require.NoError(t, err)
	count := make([]int, len(place))
	for i := range count {
		count[i] = 1
	}
	out := make([]float32, 1)
	require.NoError(t, d.Float32(out, place, count))
	return out[0]
}

// TestConvertValues converts every source and compares the CRC-32 of every channel with the
// one that testdata/record.py computed with h5py and NumPy.
func TestConvertValues(t *testing.T) {
	raw, err := os.ReadFile("testdata/values.json")
	require.NoError(t, err)
	var recorded map[string]map[string]uint32
	require.NoError(t, json.Unmarshal(raw, &recorded))
	require.Len(t, recorded, 12)
	for file, channels := range recorded {
		t.Run(file, func(t *testing.T) {
			r, err := Convert(context.Background(), Options{Input: filepath.Join(sources, file), Out: t.TempDir()})
			require.NoError(t, err)
			assert.Equal(t, channels, checksums(t, r.Dir))
		})
	}
}

// checksums returns the CRC-32 of the values of each variable channel.
func checksums(t *testing.T, dir string) map[string]uint32 {
	ds, err := well.Open(dir, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	out := map[string]uint32{}
	for i, trajectory := range ds.Trajectories() {
		w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Stride: 1, Frames: trajectory.Steps}, nil)
		require.NoError(t, err)
		for c, name := range w.Channels(false) {
			for _, frame := range w.Frames {
				var bytes []byte
				for _, v := range frame[c*w.Points() : (c+1)*w.Points()] {
					bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
				}
				out[name] = crc32.Update(out[name], crc32.IEEETable, bytes)
			}
		}
	}
	return out
}

// TestConvertConstants: forces, speeds of sound and scalars stay with their trajectory.
func TestConvertConstants(t *testing.T) {
	input := filepath.Join(sources, "PDEGym", "Wave-Layer.nc")
	r, err := Convert(context.Background(), Options{Input: input, Out: t.TempDir(), Split: "random", Seed: 3, Name: "waves"})
	require.NoError(t, err)
	assert.Equal(t, "waves", filepath.Base(r.Dir))
	ds, err := well.Open(r.Dir, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Trajectory: 1, Stride: 1, Frames: 1}, nil)
	require.NoError(t, err)
	assert.Equal(t, element(t, input, "/c", []int{1, 20, 30}), w.Constants[20*48+30])
	assert.Contains(t, strings.Join(r.Notes, "\n"), "gives no values for time")

	r, err = Convert(context.Background(), Options{Input: filepath.Join(sources, "PDEBench", "2D_diff-react_NA_NA.h5"), Out: t.TempDir()})
	require.NoError(t, err)
	gs, err := well.Open(r.Dir, well.Options{})
	require.NoError(t, err)
	defer gs.Close()
	w, err = gs.Read(context.Background(), data.Span{Trajectory: 1, Stride: 1, Frames: 2}, nil)
	require.NoError(t, err)
	assert.Equal(t, []data.Scalar{{Name: "F", Constant: true, Values: []float32{0.018}}, {Name: "k", Constant: true, Values: []float32{0.051}}, {Name: "seed", Constant: true, Values: []float32{1}}}, w.Scalars)
	assert.Equal(t, []float32{0, 30}, w.Times)
}

// TestFlowBench: the first two frames are left out, the axes are transposed, and the mask
// is 1 where the fluid does not move.
func TestFlowBench(t *testing.T) {
	input := filepath.Join(sources, "FlowBench", "FPO_NS_2D_40x40", "harmonics", "1", "Re_100.npz")
	r, err := Convert(context.Background(), Options{Input: input, Out: t.TempDir()})
	require.NoError(t, err)
	ds, err := well.Open(r.Dir, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Stride: 1, Frames: 22}, nil)
	require.NoError(t, err)
	f, err := npy.Open(input)
	require.NoError(t, err)
	defer f.Close()
	a, err := f.Dataset("data")
	require.NoError(t, err)
	require.Equal(t, []int{24, 40, 40, 3}, a.Shape())
	raw := make([]float32, 40*40*3)
	for step := range 24 {
		require.NoError(t, a.Float32(raw, []int{step, 0, 0, 0}, []int{1, 40, 40, 3}))
		if step < flowSkip {
			continue
		}
		for x := range 40 {
			for y := range 40 {
				for c, from := range []int{2, 0, 1} {
					require.Equal(t, raw[(y*40+x)*3+from], w.Frames[step-flowSkip][c*1600+x*40+y])
				}
			}
		}
	}
	assert.Equal(t, float32(100), w.Scalars[0].Values[0])
	// Computed with NumPy: 128 points have mask[y, x] = 0, which is solid here, with the
	// centre y = 16.234375, x = 5.7421875. The file stores the mask in column-major order.
	n, cx, cy := 0.0, 0.0, 0.0
	for p, m := range w.Constants {
		n, cx, cy = n+float64(m), cx+float64(m)*float64(p/40), cy+float64(m)*float64(p%40)
	}
	assert.Equal(t, []float64{128, 5.7421875, 16.234375}, []float64{n, cx / n, cy / n})
}

// TestDamaged: a source that is cut in half, emptied or of another format gives an error
// that names the file, and no file is written.
func TestDamaged(t *testing.T) {
	require.NoError(t, filepath.WalkDir(sources, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".json") || strings.HasSuffix(path, "input_geometry.npz") {
			return err
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			dir, out := t.TempDir(), t.TempDir()
			copyBeside(t, filepath.Dir(path), dir)
			for _, n := range []int{0, 100, len(whole) / 2, len(whole) - 100} {
				input := filepath.Join(dir, filepath.Base(path))
				require.NoError(t, os.WriteFile(input, whole[:n], 0o600))
				_, err = Convert(context.Background(), Options{Input: input, Out: out})
				require.Error(t, err, "%d bytes", n)
				assert.ErrorContains(t, err, input)
			}
			for _, f := range Formats() {
				if o := (Options{Input: path}); f.matches(path) && !o.fits(f) {
					continue
				}
				if o := (Options{Input: path}); !o.fits(f) {
					_, err = Convert(context.Background(), Options{Input: path, Out: out, Format: f.Name})
					require.ErrorContains(t, err, "as "+f.Name, "wrong format")
				}
			}
			assertNoFiles(t, out)
		})
		return nil
	}))
}

// fits reports whether f is the format named in o.
func (o Options) fits(f Format) bool {
	got, err := o.format()
	return err == nil && got.Name == f.Name
}

// copyBeside copies the files that belong to a source to the folder of the copy.
func copyBeside(t *testing.T, from, to string) {
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") || e.Name() == "input_geometry.npz" {
			b, err := os.ReadFile(filepath.Join(from, e.Name()))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
		}
	}
}

func assertNoFiles(t *testing.T, dir string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s was left behind", path)
		}
		return err
	}))
}

func TestConvertErrors(t *testing.T) {
	cns := filepath.Join(sources, "PDEBench", "2D_CFD_Rand_M0.1_Eta1e-08_Zeta1e-08_periodic_32_Train.hdf5")
	out := t.TempDir()
	unnamed := filepath.Join(t.TempDir(), "2D_CFD_other.hdf5")
	b, err := os.ReadFile(cns)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(unnamed, b, 0o600))
	for want, o := range map[string]Options{
		`unknown format "csv": expected one of pdebench-cns`: {Input: cns, Format: "csv"},
		"the name fits none of the formats":                  {Input: "data.csv"},
		`expected "train", "valid", "test" or "random"`:      {Input: cns, Split: "dev"},
		"boundary of the low end is not set":                 {Input: unnamed},
		"boundaries: expected one per axis (2), got 1":       {Input: cns, Boundaries: every(1, data.Open)},
		"Re_x.npz": {Input: "Re_x.npz"},
	} {
		o.Out = out
		_, err := Convert(context.Background(), o)
		assert.ErrorContains(t, err, want)
	}
	_, err = Convert(context.Background(), Options{Input: unnamed, Out: out, Boundaries: every(2, data.Open)})
	require.NoError(t, err)
	_, err = Convert(context.Background(), Options{Input: unnamed, Out: out, Boundaries: every(2, data.Open)})
	assert.ErrorContains(t, err, "the file exists")
	ctx, cancel := context.WithCancel(context.Background())
	empty := t.TempDir()
	_, err = Convert(ctx, Options{Input: cns, Out: empty, Progress: func(done, _ int) {
		if done == 5 {
			cancel()
		}
	}})
	assert.True(t, errors.Is(err, context.Canceled))
	assertNoFiles(t, empty)
}

// TestDifferentSystems: files of one format with different fields go to separate data sets,
// unless a name is given; files of one system share one.
func TestDifferentSystems(t *testing.T) {
	ctx, out := context.Background(), t.TempDir()
	convert := func(name, file string) (*Report, error) {
		return Convert(ctx, Options{Input: filepath.Join(sources, "PDEGym", file), Out: out, Name: name})
	}
	var dirs []string
	for _, file := range []string{"CE-RM.nc", "CE-RP.nc", "NS-SL.nc"} {
		r, err := convert("", file)
		require.NoError(t, err)
		dirs = append(dirs, filepath.Base(r.Dir))
		ds, err := well.Open(r.Dir, well.Options{})
		require.NoError(t, err, "the files of a folder fit each other")
		assert.Equal(t, filepath.Base(r.Dir), ds.Metadata().Name)
		require.NoError(t, ds.Close())
		if len(dirs) > 1 {
			assert.Contains(t, strings.Join(r.Notes, "\n"), "CE-RM.hdf5: fields: expected [{density 0 false}")
			assert.Contains(t, strings.Join(r.Notes, "\n"), "this file goes to the data set "+dirs[len(dirs)-1])
		}
	}
	assert.Equal(t, []string{"pdegym", "pdegym_2", "pdegym_3"}, dirs)
	again := t.TempDir()
	whole, err := os.ReadFile(filepath.Join(sources, "PDEGym", "CE-RP.nc"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(again, "CE-RP-2.nc"), whole, 0o644))
	r, err := Convert(ctx, Options{Input: filepath.Join(again, "CE-RP-2.nc"), Out: out})
	require.NoError(t, err)
	assert.Equal(t, "pdegym_2", filepath.Base(r.Dir))
	_, err = convert("pdegym", "NS-SL.nc")
	assert.ErrorContains(t, err, "NS-SL.nc as pdegym: it differs from")
}
