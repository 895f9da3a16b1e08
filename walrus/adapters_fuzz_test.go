package walrus_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// adaptable returns weights of the network that the files in testdata/fuzz/FuzzAdapters
// adapt.
func adaptable(tb testing.TB) *walrus.Weights {
	tb.Helper()
	c := walrus.Micro()
	c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups, c.ProjectionDim, c.Tokens = 24, 8, 1, 2, 2, 48, [3]int{2, 2, 2}
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z", "mask", "pressure")
	w, err := walrus.InitWeights(c, 1)
	require.NoError(tb, err)
	tb.Cleanup(w.Close)
	return w
}

// FuzzAdapters: no file panics; weights that it changes are finite, and an error changes no
// weights. testdata/fuzz holds files that once made weights NaN.
func FuzzAdapters(f *testing.F) {
	base := adaptable(f)
	path := filepath.Join(f.TempDir(), "adapters.safetensors")
	tr, err := train.New(adaptable(f), train.Options{Backend: testbackend.New(f), LoRA: &train.LoRA{Rank: 2}, Seed: 1})
	require.NoError(f, err)
	defer tr.Close()
	require.NoError(f, tr.SaveAdapters(path))
	first, err := base.Clone()
	require.NoError(f, err)
	defer first.Close()
	require.NoError(f, train.ApplyAdapters(first, path))
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "adapters.safetensors")
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		w, err := base.Clone()
		require.NoError(t, err)
		defer w.Close()
		if err := train.ApplyAdapters(w, path); err != nil {
			requireSameWeights(t, base, w)
			return
		}
		for _, p := range w.Params() {
			if i := nonfinite.First(valuesOf(t, w, p.Key)); i >= 0 {
				t.Fatalf("%s[%d] is not finite", p.Key, i)
			}
		}
	})
}
