package sample_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	sweep.Run(t, sweep.Package{Funcs: []any{sample.Load}, Types: []any{new(sample.Set)}, Strings: []string{"train", "test"}, Calls: 5})
}
