package well_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// memory is a driver with a single file, inMemory.
type memory struct{ driver.Driver }

var inMemory []byte // set before each Open; Opens are not concurrent

func init() { well.RegisterDriver("memory", memory{}) }

func (memory) Open(path string) (driver.File, error) {
	return hdf5.NewFile(bytes.NewReader(inMemory), int64(len(inMemory)), path)
}

// FuzzOpen opens arbitrary files as data sets, checks them, reads a window and computes
// statistics. Errors are allowed, panics are not, and a file that opens must give valid
// windows.
func FuzzOpen(f *testing.F) {
	all := crafted{grid: []int{2, 2}, trajectories: 2, steps: 4, fields: []craftedField{
		{name: "p", sample: true, time: true}, {name: "u", order: 1, sample: true, time: true, chunk: []int{1, 2, 2, 2, 2}},
		{name: "c", along: []bool{true, false}}, {name: "T", order: 2, time: true, along: []bool{false, true}, ones: true},
	}, boundaries: []craftedBoundary{{"x_wall", "WALL", []string{"x", "y"}, []float32{1, 1, 0, 0}}, {"y_periodic", "PERIODIC", []string{"y"}, []float32{1, 1}}}}
	demo := filepath.Join("..", "..", "testdata", "golden", "well", "demosph", "data", "train", "a.hdf5")
	for _, path := range []string{all.write(f), demo} {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	here := f.TempDir()
	path := filepath.Join(here, "fuzz.hdf5") // Open lists it, the driver reads inMemory
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		inMemory = raw
		ds, err := well.Open(path, well.Options{Driver: "memory"})
		if err != nil {
			return
		}
		defer ds.Close()
		if work(ds) > 1<<20 {
			return // valid, but too large for a fuzz test
		}
		ctx := context.Background()
		checked := ds.Check(ctx, nil)
		_, err = well.ComputeStatistics(ctx, ds, nil)
		if (checked == nil) != (err == nil) {
			t.Fatalf("Check says %v, ComputeStatistics %v", checked, err)
		}
		for i, tr := range ds.Trajectories() {
			w, err := ds.Read(ctx, data.Span{Trajectory: i, Stride: 1, Frames: tr.Steps}, nil)
			if err == nil {
				err = w.Validate()
			}
			if checked == nil && err != nil {
				t.Fatalf("Check found nothing, but: %v", err)
			}
		}
	})
}

// work returns the number of values of a data set as a float64, which does not overflow.
func work(ds *well.Dataset) float64 {
	m := ds.Metadata()
	n := 0.0
	for _, tr := range ds.Trajectories() {
		n += float64(tr.Steps)
	}
	for _, f := range m.Fields {
		n *= float64(f.ComponentCount(len(m.Grid)))
	}
	for _, x := range m.Grid {
		n *= float64(x)
	}
	return n
}
