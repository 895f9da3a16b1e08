package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestExport: exported weights are those of the checkpoint, and are exported once.
func TestExport(t *testing.T) {
	from, dir := golden.Path(t, "tiny_walrus.pt"), filepath.Join(t.TempDir(), "out")
	assert.Equal(t, "wrote walrus.pt and extended_config.yaml to "+dir+"\n", output(t, "export", "--weights", from, "--out", dir))
	load := func(path string) *walrus.Weights {
		found, err := walrus.FindCheckpoint(path)
		require.NoError(t, err)
		w, _, err := found.Load(walrus.LoadOptions{})
		require.NoError(t, err)
		t.Cleanup(w.Close)
		return w
	}
	want, got := load(from), load(dir)
	assert.Equal(t, want.Config(), got.Config())
	for _, p := range want.Params() {
		a, _ := want.Tensor(p.Key)
		b, ok := got.Tensor(p.Key)
		require.True(t, ok && a.Equal(b), p.Key)
	}
	assert.ErrorContains(t, fails("export", "--weights", from, "--out", dir), "expected a new folder or an empty one")
}

func TestExportErrors(t *testing.T) {
	assert.ErrorIs(t, fails("export", "--weights", "nano"), command.ErrUsage)
	dir := filepath.Join(t.TempDir(), "out")
	assert.ErrorContains(t, fails("export", "--weights", "nowhere", "--out", dir), "no such file")
	assert.ErrorContains(t, fails("export", "--weights", "nano-2000-01-01", "--out", dir), "the weights that come with the library are nano")
	var refused *walrus.ExportError
	require.ErrorAs(t, fails("export", "--weights", "nano", "--out", dir), &refused)
	assert.NotEmpty(t, refused.Reasons)
	assert.NoDirExists(t, dir)
}
