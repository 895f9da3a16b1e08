package mapping_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/data/well"
)

// arrays holds files that NumPy, h5py, netCDF4 and zarr wrote.
var arrays = filepath.Join("..", "..", "..", "testdata", "data", "arrays")

const text = `
name: channel_flow
files: "runs/nu{nu}_run{trajectory}.npz"      # one file per trajectory
axes: time, y, x                              # of every array, slowest first
fields:
  density: rho
  velocity: {array: u, axes: "time, component, x, y", components: "x, y"}
coordinates: {x: {from: 0, to: 1}, y: {from: -1, to: 1}}
times: t
boundaries: {x: periodic, y: wall/open}
parameters: {nu: "{nu}"}
split: {train: 0.5, valid: 0.5}
`

// A mapping opens files as a data set. Nothing is converted.
func ExampleMapping_Open() {
	m, err := mapping.Parse([]byte(text), arrays)
	if err != nil {
		log.Fatal(err)
	}
	ds, err := m.Open(mapping.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	meta := ds.Metadata()
	fmt.Println(meta.Name, meta.Grid, meta.Fields)
	w, err := ds.Read(context.Background(), data.Span{Trajectory: 1, Start: 1, Stride: 2, Frames: 2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Times, w.Scalars[0].Name, w.Scalars[0].Values)
	// Output:
	// channel_flow [6 4] [{density 0 false} {velocity 1 false}]
	// [0.25 0.75] nu [0.02]
}

// The same mapping writes a data set of The Well, with statistics.
func ExampleMapping_Write() {
	dir, err := os.MkdirTemp("", "import")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := mapping.Parse([]byte(text), arrays)
	if err != nil {
		log.Fatal(err)
	}
	r, err := m.Write(context.Background(), mapping.WriteOptions{Out: dir})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(r.Dir), r.Trajectories, r.Frames)
	ds, err := well.Open(r.Dir, well.Options{Split: "train"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(ds.Files()[0].Boundaries, len(ds.Statistics().Mean["velocity"]))
	// Output:
	// channel_flow map[train:1 valid:1] 10
	// [periodic wall/open] 2
}

// Guess begins a mapping. Boundaries are to be filled in.
func ExampleGuess() {
	text, err := mapping.Guess(filepath.Join(arrays, "steps"), arrays)
	if err != nil {
		log.Fatal(err)
	}
	_, err = mapping.Parse(text, arrays)
	fmt.Println(err)
	// Output: mapping: line 18: boundaries.x: expected periodic, wall, open, or the low and the high end such as wall/open, got "TODO": fill in the boundary of the axis
}

// An error names the line of the mapping, file, array and axis, and says what to do.
func ExampleError() {
	m, err := mapping.Parse([]byte(`name: flow
files: plain.npz
axes: trajectory, time, x, y
fields: {density: rho, velocity: {array: vel, axes: "trajectory, time, y, x, component", components: "y, x"}}
boundaries: {x: periodic, y: wall}
`), ".")
	if err != nil {
		log.Fatal(err)
	}
	m.Dir = arrays
	_, err = m.Open(mapping.Options{})
	var e *mapping.Error
	if !errors.As(err, &e) {
		log.Fatal(err)
	}
	fmt.Println(e.Line, filepath.Base(e.File), e.Array, e.Axis, e.Err)
	// Output: 4 plain.npz vel y expected the length 6, as in array rho of plain.npz, got 4: correct the order of the axes, or leave the array out
}
