package dpot_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	c := dpot.Config{Grid: []int{4, 8}, Patch: 4, InChannels: 1, OutChannels: 1, InSteps: 2, OutSteps: 1, Hidden: 8, Depth: 1,
		MixingBlocks: 1, Modes: 4, MLP: 8, OutWidth: 2, Classes: 1}
	w, err := dpot.InitWeights(c, 1)
	require.NoError(t, err)
	m, err := dpot.NewModel(c)
	require.NoError(t, err)
	e, err := dpot.NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	file := filepath.Join(t.TempDir(), "m.pth")
	require.NoError(t, w.Save(file))
	sweep.Run(t, sweep.Package{
		Funcs: []any{dpot.H, dpot.H3D, dpot.InitWeights, dpot.L, dpot.Load, dpot.LoadAs, dpot.M, dpot.NewEmulator, dpot.NewModel,
			dpot.PadChannels, dpot.Preset, dpot.Presets, dpot.ReadConfig, dpot.RelativeL2, dpot.Resize, dpot.S, dpot.Ti, dpot.Ti3D, dpot.Transfer},
		Types:   []any{new(dpot.AFNO), new(dpot.Activation), new(dpot.Aggregation), new(dpot.Block), new(dpot.Config), new(dpot.TimeAggregation)},
		Made:    []any{(*dpot.Emulator)(nil), (*dpot.Model)(nil), (*dpot.Weights)(nil)},
		Values:  []any{c, w, m, e, []int{4, 8}, []int{1, 4, 8, 2, 1}, make([]float32, 64), testbackend.New(t)},
		Strings: []string{file, "dpot-ti"},
		Exempt: map[string]string{
			"Emulator.Close": "the other methods need the program",
			"H":              large, "H3D": large, "L": large, "M": large, "S": large, "Ti": large, "Ti3D": large, "Preset": large, "Presets": large,
		},
		Calls: 60,
	})
}

const large = "its network is too large for the other calls"
