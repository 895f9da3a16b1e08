package walrus_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// benchConfig is a network of width 64 with two blocks.
func benchConfig() walrus.Config {
	c := walrus.Small()
	c.Hidden, c.Blocks, c.Heads, c.Intermediate = 64, 2, 4, 16
	c.Tokens = [3]int{8, 8, 8}
	return c
}

// BenchmarkForecast measures a frame on 32×32 points, 64 tokens: of the whole window, with a KV cache,
// and with weights held in int8.
func BenchmarkForecast(b *testing.B) {
	w, err := walrus.InitWeights(benchConfig(), 1)
	require.NoError(b, err)
	defer w.Close()
	window := flow([]int{32, 32}, data.Boundaries{periodic, walled}, 6)
	off := walrus.Divergence{Factor: -1}
	for _, c := range []struct {
		name string
		o    walrus.EmulatorOptions
	}{
		{"window", walrus.EmulatorOptions{Divergence: off}},
		{"cached", walrus.EmulatorOptions{Divergence: off, Cache: &walrus.Cache{Refresh: -1}}},
		{"int8", walrus.EmulatorOptions{Divergence: off, Weights: walrus.Int8}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.o.Backend = testbackend.New(b)
			e, err := walrus.NewEmulator(w, c.o)
			require.NoError(b, err)
			defer e.Close()
			require.NoError(b, e.Prepare(window))
			b.ResetTimer()
			for _, err := range e.Rollout(context.Background(), window, b.N) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoadWeights measures loading a file in each precision of held weights.
func BenchmarkLoadWeights(b *testing.B) {
	c := benchConfig()
	c.Hidden, c.Heads = 256, 8
	w, err := walrus.InitWeights(c, 1)
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "w.safetensors")
	require.NoError(b, w.Save(path, nil))
	w.Close()
	count, err := c.Count()
	require.NoError(b, err)
	for p := walrus.Float32; p <= walrus.Int8; p++ {
		b.Run(p.String(), func(b *testing.B) {
			b.SetBytes(count.Bytes)
			for b.Loop() {
				w, _, err := walrus.LoadWeights(path, c, walrus.EmulatorOptions{Backend: testbackend.New(b), Weights: p}.LoadOptions())
				require.NoError(b, err)
				w.Close()
			}
		})
	}
}
