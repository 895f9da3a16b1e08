package unet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/peers/unet"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	c := unet.For([]int{16, 16}, 1)
	m, err := unet.NewModel(c)
	require.NoError(t, err)
	sweep.Run(t, sweep.Package{
		Funcs:  []any{unet.For, unet.NewModel},
		Types:  []any{new(unet.Config)},
		Made:   []any{(*unet.Model)(nil)},
		Values: []any{c, m, []int{16, 16}},
		Calls:  100,
	})
}
