package perturb_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	sweep.Run(t, sweep.Package{Funcs: []any{perturb.Shaped, perturb.White}, Values: []any{[]string{"height"}}, Strings: []string{"height"}})
}
