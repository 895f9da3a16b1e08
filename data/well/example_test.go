package well_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// shearFlow is the path of a small data set in this repository.
var shearFlow = filepath.Join("..", "..", "testdata", "data", "shear_flow")

func ExampleOpen() {
	ds, err := well.Open(shearFlow, well.Options{Split: "train"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	m := ds.Metadata()
	fmt.Println(m.Name, m.Grid, m.Channels(), m.ConstantScalars)
	fmt.Println(len(ds.Files()), "files of", len(ds.Trajectories()), "trajectories of", ds.Trajectories()[0].Steps, "frames")

	_, err = well.Open(shearFlow, well.Options{})
	fmt.Println(strings.ReplaceAll(err.Error(), shearFlow, "shear_flow"))
	// Output:
	// shear_flow [32 64] [tracer pressure velocity_x velocity_y velocity_z] [Reynolds Schmidt]
	// 3 files of 6 trajectories of 30 frames
	// well: shear_flow: expected one of the splits [test train valid], got ""
}

// Read returns windows in physical units, with fields in the order of the channels. A
// window passed to Read is overwritten.
func ExampleDataset_Read() {
	ds, err := well.Open(shearFlow, well.Options{Split: "test"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	if err != nil {
		log.Fatal(err)
	}
	var w *data.Window
	for _, i := range []int{0, 30} {
		if w, err = ds.Read(context.Background(), windows.Span(i, 1), w); err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.Channels(false), w.Boundaries, len(w.Frames), w.Origin.Trajectory, w.Times)
	}
	// Output:
	// [tracer pressure velocity_x velocity_y] [periodic periodic] 7 0 [0.25 0.5 0.75 1 1.25 1.5 1.75]
	// [tracer pressure velocity_x velocity_y] [periodic periodic] 7 1 [1.75 2 2.25 2.5 2.75 3 3.25]
}

// A field with a long tail can be read as its logarithm.
func ExampleOptions() {
	path := filepath.Join("..", "..", "testdata", "data", "euler_multi_quadrants_periodicBC")
	o := well.Options{Split: "test", Transforms: []data.Transform{{Field: "density", Kind: data.Log10}}}
	ds, err := well.Open(path, o)
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(ds.Metadata().Channels())
	// Output: [energy log10_density pressure momentum_x momentum_y momentum_z]
}

func ExampleSplits() {
	splits, err := well.Splits(shearFlow)
	fmt.Println(splits, err)
	// Output: [test train valid] <nil>
}

// Open reads the headers; Check reads all values.
func ExampleDataset_Check() {
	path := filepath.Join("..", "..", "testdata", "data", "broken", "27_chunk_flipped_bytes_gzip.hdf5")
	ds, err := well.Open(path, well.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(strings.ReplaceAll(ds.Check(context.Background(), nil).Error(), path, "file"))
	// Output: well: trajectory 0: hdf5: file: /t0_fields/A: chunk [0 7 0 0]: filter number 1 (deflate): the stream is damaged: expected at most 4096 bytes, got more
}

// write writes a data set of one trajectory to a folder.
func write(dir string) error {
	path := filepath.Join(dir, "data", "train", "rain.hdf5")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	w, err := well.Create(path, well.Header{
		Dataset:      "rain",
		Coordinates:  [][]float32{{0, 1, 2, 3}, {0, 2}},
		Times:        []float32{0, 0.5, 1},
		Trajectories: 1,
		Fields:       []data.Field{{Name: "height"}, {Name: "velocity", Order: 1}},
		Boundaries:   data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Parameters:   []well.Parameter{{Name: "slope", Value: 0.1}},
	}, well.WriteOptions{})
	if err != nil {
		return err
	}
	defer w.Abort() // does nothing after Close
	for step := range 3 {
		frame := make([]float32, 3*8)
		for i := range frame {
			frame[i] = float32(step * i)
		}
		if err := w.Frame(0, step, frame); err != nil {
			return err
		}
	}
	return w.Close()
}

func ExampleCreate() {
	dir, err := os.MkdirTemp("", "well")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		log.Fatal(err)
	}
	ds, err := well.Open(dir, well.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Start: 2, Stride: 1, Frames: 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Frames[0][:8], w.Scalars)
	// Output: [0 2 4 6 8 10 12 14] [{slope true [0.1]}]
}

// An incomplete file does not appear under its name.
func ExampleWriter_Close() {
	dir, err := os.MkdirTemp("", "well")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "line.hdf5")
	w, err := well.Create(path, well.Header{
		Dataset: "line", Coordinates: [][]float32{{0, 1}}, Times: []float32{0, 1}, Trajectories: 1,
		Fields: []data.Field{{Name: "height"}}, Boundaries: data.Boundaries{data.Both(data.Open)},
	}, well.WriteOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Frame(0, 0, []float32{1, 2}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.ReplaceAll(w.Close().Error(), dir, "…"))
	_, err = os.Stat(path)
	fmt.Println(os.IsNotExist(err))
	// Output:
	// well: …/line.hdf5: trajectory 0: frame 1 was not written
	// true
}

func ExampleHeader_Validate() {
	h := well.Header{Dataset: "rain", Coordinates: [][]float32{{0, 1}}, Times: []float32{0}, Trajectories: 1, Fields: []data.Field{{Name: "height"}}}
	fmt.Println(h.Validate())
	// Output: header of "rain": boundaries: expected one per axis (1), got 0; there is no default
}

// The statistics of the training split are written to stats.yaml, where Open finds them.
func ExampleUpdateStatistics() {
	dir, err := os.MkdirTemp("", "well")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		log.Fatal(err)
	}
	if err := well.UpdateStatistics(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	ds, err := well.Open(dir, well.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(ds.Statistics().Mean)
	// Output: map[height:[3.5] velocity:[11.5 19.5]]
}

func ExampleComputeStatistics() {
	ds, err := well.Open(shearFlow, well.Options{Split: "train"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	s, err := well.ComputeStatistics(context.Background(), ds, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("computed %.4f, stored %.4f\n", s.RMS["velocity"], ds.Statistics().RMS["velocity"])
	// Output: computed [0.4470 0.1023], stored [0.4470 0.1023]
}

// Open uses the pure Go driver unless Options name another one.
func ExampleDrivers() {
	for _, name := range well.Drivers() {
		if name == well.DefaultDriver {
			fmt.Println(name)
		}
	}
	_, err := well.Open(shearFlow, well.Options{Split: "test", Driver: "nosuch"})
	fmt.Println(strings.Contains(err.Error(), `unknown HDF5 driver "nosuch"`))
	// Output:
	// go
	// true
}

// Copy makes a small data set of a large one: two fields, every second frame, a quarter of
// the points, with new splits.
func ExampleCopy() {
	dir, err := os.MkdirTemp("", "well")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	r, err := well.Copy(context.Background(), []string{shearFlow}, well.CopyOptions{
		Out: filepath.Join(dir, "shear_small"), Drop: []string{"tracer"}, Stride: 2, Coarsen: 2,
		Ratios: &data.Ratios{Train: 0.6, Valid: 0.2, Test: 0.2}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	ds, err := well.Open(r.Dir, well.Options{Split: "train"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(ds.Metadata().Name, ds.Metadata().Grid, ds.Metadata().Fields)
	// Output: shear_small [16 32] [{pressure 0 false} {velocity 1 false}]
}
