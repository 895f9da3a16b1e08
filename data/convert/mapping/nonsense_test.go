package mapping_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	m := parse(t, common+layouts["plain.npz"])
	ds, err := m.Open(mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	sweep.Run(t, sweep.Package{
		Funcs:   []any{mapping.Guess, mapping.Parse, mapping.Read},
		Types:   []any{new(mapping.Error), new(mapping.Mapping), new(mapping.Source)},
		Made:    []any{(*mapping.Dataset)(nil)},
		Values:  []any{*m, ds, data.Span{Stride: 1, Frames: 2}, new(data.Window), []byte(common + layouts["plain.npz"]), m.Fields, m.Fields[0], mapping.Source{Array: "rho"}},
		Strings: []string{ndtest.Path("plain.npz"), ndtest.Dir(), "rho", "density", "x", "trajectory, time, y, x"},
		Exempt: map[string]string{
			"Dataset.Close": "the other methods need the open files",
		},
	})
}
