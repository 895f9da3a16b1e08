package driver_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	sweep.Run(t, sweep.Package{Types: []any{new(driver.Error)}})
}
