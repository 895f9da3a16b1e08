package backend_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// TestNonsense: no function panics, with XLA or without.
func TestNonsense(t *testing.T) {
	sweep.Run(t, sweep.Package{Funcs: []any{backend.Check, backend.Default, backend.Go, backend.Open, backend.Pick, backend.VirtualDevices}, Calls: 2})
}
