package mpp_test

import (
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/stretchr/testify/require"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	c := mpp.Config{Hidden: 8, Heads: 2, Blocks: 1, States: 3}
	w, err := mpp.InitWeights(c, 1)
	require.NoError(t, err)
	m, err := mpp.NewModel(c)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "weights")
	require.NoError(t, w.Save(file))
	backend := testbackend.New(t)
	e, err := mpp.NewEmulator(w, backend)
	require.NoError(t, err)
	sweep.Run(t, sweep.Package{
		Funcs: []any{mpp.B, mpp.Fields, mpp.InitWeights, mpp.InstanceNorm, mpp.L, mpp.Load, mpp.LoadAs, mpp.Loss, mpp.NewEmulator, mpp.NewModel, mpp.Preset,
			mpp.Presets, mpp.RMSInstanceNorm, mpp.ReadConfig, mpp.S, mpp.Ti},
		Types: []any{new(mpp.Bias), new(mpp.BiasWeights), new(mpp.Config), new(mpp.DecoderWeights), new(mpp.EncoderWeights),
			new(mpp.SpaceBlock), new(mpp.TimeBlock)},
		Made:    []any{(*mpp.Emulator)(nil), (*mpp.Model)(nil), (*mpp.Weights)(nil)},
		Values:  []any{c, w, m, e, backend, mpp.System{Labels: []int{2}}, []int{1, 1, 1, 16, 32}, make([]float32, 512), []int{32, 48}, [2]bool{true, false}, walrus.LoadOptions{}},
		Strings: []string{file, "mpp-avit-ti", "space_bag.weight"},
		Exempt: map[string]string{
			"Emulator.Close":   "the other methods need the programs",
			"Weights.Close": "the other methods need the tensors",
		},
		Calls: 60,
	})
}
