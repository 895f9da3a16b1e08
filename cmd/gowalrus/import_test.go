package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// TestImport: from a guess to a data set, as a user does it.
func TestImport(t *testing.T) {
	dir := t.TempDir()
	file, files := filepath.Join(dir, "runs.yaml"), filepath.Join(dataDir, "arrays", "plain.npz")
	text := output(t, "import", "--guess", files)
	assert.Contains(t, text, "density: rho")
	assert.Contains(t, output(t, "import", "--guess", files, "--map", file), "fill in the boundaries")
	assert.ErrorContains(t, fails("import", "--guess", files, "--map", file), "the file exists")
	guess, err := os.ReadFile(file)
	require.NoError(t, err)

	err = fails("import", "--map", file, "--out", dir)
	var e *mapping.Error
	require.ErrorAs(t, err, &e)
	assert.ErrorContains(t, err, file+" line 24: boundaries.x: expected periodic")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(guess), "TODO", "wall")), 0o644))
	text = output(t, "import", "--map", file)
	assert.Contains(t, text, "plain: grid [6 4] of [x y], channels [density velocity_x velocity_y mask]\n")
	assert.Contains(t, text, "steps of the first 5")
	assert.Contains(t, output(t, "import", "--map", file, "--out", dir), "1 train, 1 valid, 0 test, 10 frames")
	ds, err := well.Open(filepath.Join(dir, "plain"), well.Options{Split: "train"})
	require.NoError(t, err)
	assert.NotNil(t, ds.Statistics())
	require.NoError(t, ds.Close())
}

func TestImportUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --guess PATH, or --map FILE": {},
		"without --out":                        {"--guess", "x", "--out", "y"},
	} {
		err := fails(append([]string{"import"}, args...)...)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.ErrorContains(t, err, want)
	}
	assert.ErrorContains(t, fails("import", "--map", "nowhere.yaml"), "nowhere.yaml")
}
