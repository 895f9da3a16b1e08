package convert_test

import (
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data/convert"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	files, err := filepath.Abs(filepath.Join("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:   []any{convert.Convert, convert.Formats},
		Strings: []string{files, "pdegym", "flowbench"},
	})
}
