package fno_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/peers/fno"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	c := fno.For([]int{16, 16}, 1)
	m, err := fno.NewModel(c)
	require.NoError(t, err)
	sweep.Run(t, sweep.Package{
		Funcs:  []any{fno.For, fno.NewModel},
		Types:  []any{new(fno.Config)},
		Made:   []any{(*fno.Model)(nil)},
		Values: []any{c, m, []int{16, 16}},
		Calls:  100,
	})
}
