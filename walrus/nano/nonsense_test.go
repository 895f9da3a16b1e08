package nano_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	m, err := nano.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config
	c.Blocks = 1
	sweep.Run(t, sweep.Package{
		Funcs:   []any{nano.Familiarity, nano.Find, nano.Load, nano.Manifest, nano.Names, nano.Open, nano.OpenWeights, nano.Versions, nano.Weights, nano.WeightsFor},
		Types:   []any{new(nano.Version)},
		Values:  []any{m.Config, c, walrus.Micro()},
		Strings: nano.Names(),
		Calls:   20,
	})
}
