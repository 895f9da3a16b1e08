package walrus_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// requireGoldenWeights compares w with the tensors of f whose names carry
// prefix, bit by bit.
func requireGoldenWeights(t *testing.T, f *golden.File, prefix string, w *walrus.Weights) {
	t.Helper()
	for _, p := range w.Params() {
		want, shape := f.Float32(t, prefix+p.Key)
		require.Equal(t, shape, p.Dims, p.Key)
		requireSameBits(t, p.Key, want, valuesOf(t, w, p.Key))
	}
}

// TestGoldenLoadWeights loads the tiny model from both formats, to the host and
// to a device.
func TestGoldenLoadWeights(t *testing.T) {
	golden.Every(t, "model_weights", func(t *testing.T, c golden.Case) {
		name := strings.TrimSuffix(c.File, ".safetensors")
		for _, run := range []struct {
			file, format, where string
			options             walrus.LoadOptions
		}{
			{name + ".pt", walrus.FormatTorch, "app.model", walrus.LoadOptions{}},
			{name + ".pt", walrus.FormatTorch, "app.model", walrus.LoadOptions{Backend: testbackend.New(t)}},
			{name + ".safetensors", walrus.FormatSafetensors, "top level", walrus.LoadOptions{}},
			{name + ".safetensors", walrus.FormatSafetensors, "top level", walrus.LoadOptions{Backend: testbackend.New(t)}},
		} {
			w, report, err := walrus.LoadWeights(golden.Path(t, run.file), goldenConfig(t), run.options)
			require.NoError(t, err)
			requireGoldenWeights(t, c.Open(t), "", w)
			assert.Equal(t, run.format, report.Format)
			assert.Equal(t, run.where, report.Where)
			assert.Equal(t, len(w.Params()), report.Tensors)
			assert.Empty(t, report.Converted)
			w.Close()
		}
	})
}

// TestGoldenMicroCheckpoint loads the training checkpoint of one step. It also loads the
// same tensors from a file that adds a prefix to their names and holds tensors of an
// optimiser, too.
func TestGoldenMicroCheckpoint(t *testing.T) {
	golden.Every(t, "n_", func(t *testing.T, c golden.Case) {
		cfg := microConfig(t, c)
		f := c.Open(t)
		for file, where := range map[string]string{
			"micro_checkpoints/step_1/full_checkpoint.pt": "app.model",
			c.File: `top level, prefix "model."`,
		} {
			w, report, err := walrus.LoadWeights(golden.Path(t, file), cfg, walrus.LoadOptions{})
			require.NoError(t, err)
			requireGoldenWeights(t, f, "model.", w)
			assert.Equal(t, where, report.Where)
			w.Close()
		}
	})
}

// microConfig returns the configuration of the micro checkpoint.
func microConfig(t *testing.T, c golden.Case) walrus.Config {
	t.Helper()
	var meta struct{ Config golden.Config }
	c.Decode(t, &meta)
	cfg := goldenConfig(t)
	cfg.Hidden, cfg.Intermediate, cfg.Groups = meta.Config.Hidden, meta.Config.Inter, meta.Config.Groups
	cfg.Heads, cfg.Blocks, cfg.MLP = meta.Config.Heads, meta.Config.Blocks, 0
	cfg.Registry = data.MustRegistry("first", "second")
	return cfg
}
