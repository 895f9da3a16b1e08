package well_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	header := well.Header{Dataset: "rain", Coordinates: [][]float32{{0, 1, 2}, {0, 1}}, Times: []float32{0, 1}, Trajectories: 2,
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: data.MaskName, Constant: true}}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Open)},
		Parameters: []well.Parameter{{Name: "Re", Value: 100}}, Scalars: []well.ScalarSpec{{Name: "energy"}}}
	path := filepath.Join(t.TempDir(), "data", "train", "rain.hdf5")
	w, err := create(path, header)
	if err != nil {
		t.Fatal(err)
	}
	set, err := well.Open(path, well.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	sweep.Run(t, sweep.Package{
		Funcs: []any{well.Audit, well.ComputeStatistics, well.Copy, well.Create, well.CreateStatistics, well.Describe, well.Drivers, well.Find, well.Open,
			well.RegisterDriver, well.SameSystem, well.Splits, well.UpdateStatistics, well.WriteFile},
		Types:   []any{new(well.ForeignError), new(well.MemoryError), new(well.Header)},
		Made:    []any{(*well.Dataset)(nil), (*well.Writer)(nil)},
		Values:  []any{header, set, w, data.Span{Stride: 1, Frames: 2}, make([]float32, 18), make([]float32, 6), new(data.Window)},
		Strings: []string{path, filepath.Dir(path), filepath.Dir(filepath.Dir(filepath.Dir(path))), "energy", "train", "go"},
		Exempt: map[string]string{
			"RegisterDriver": "runs when a program starts and panics for a mistake of the program, as database/sql.Register",
			"Dataset.Close":  "the other methods need the open files",
		},
	})
}

// create writes a complete file and returns a writer of another one.
func create(path string, h well.Header) (*well.Writer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	w, err := well.Create(path, h, well.WriteOptions{})
	if err != nil {
		return nil, err
	}
	for i := range h.Trajectories {
		err = errors.Join(err, w.Constants(i, make([]float32, 6)), w.Scalar("energy", i, make([]float32, len(h.Times))))
		for k := range h.Times {
			err = errors.Join(err, w.Frame(i, k, make([]float32, 18)))
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return well.Create(path+".other", h, well.WriteOptions{})
}
