package poseidon_test

import (
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
	"github.com/stretchr/testify/require"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	c := tiny()
	w, err := poseidon.InitWeights(c, 1)
	require.NoError(t, err)
	m, err := poseidon.NewModel(c)
	require.NoError(t, err)
	e, err := poseidon.NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "weights")
	require.NoError(t, w.Save(dir))
	sweep.Run(t, sweep.Package{
		Funcs: []any{poseidon.B, poseidon.Depthwise, poseidon.InitWeights, poseidon.L, poseidon.Load, poseidon.LoadAs, poseidon.NewEmulator, poseidon.NewModel,
			poseidon.Preset, poseidon.Presets, poseidon.ReadConfig, poseidon.Resample, poseidon.S, poseidon.T},
		Types: []any{new(poseidon.Block), new(poseidon.Config), new(poseidon.ConvNeXt), new(poseidon.Distance), new(poseidon.Merging), new(poseidon.Norm),
			new(poseidon.ResNet), new(poseidon.SkipBlock), new(poseidon.Unmerging), new(poseidon.WindowAttention), new(poseidon.Windows)},
		Made:    []any{(*poseidon.Emulator)(nil), (*poseidon.Model)(nil), (*poseidon.Weights)(nil)},
		Values:  []any{c, w, m, e, []int{1, 2, 16, 16}, make([]float32, 512), []float32{0.05}, walrus.LoadOptions{}},
		Strings: []string{dir, filepath.Join(dir, poseidon.ConfigFile), "poseidon-t"},
		Exempt: map[string]string{
			"B": presets, "L": presets, "Preset": presets, "Presets": presets, "S": presets, "T": presets,
			"Weights.Close": "the other methods need the tensors",
			"Emulator.Close":   "the other methods need the programs",
		},
		Calls: 60,
	})
}

const presets = "takes no input or a name, and its networks are too large for the other calls"
