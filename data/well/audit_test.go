package well_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
)

// TestAudit: a data set of The Well passes. A wrong number in its statistics, missing
// statistics and a training file that is in test, too, are found.
func TestAudit(t *testing.T) {
	ctx := context.Background()
	_, err := well.Audit(ctx, set("shear_flow_tensor"))
	require.NoError(t, err)

	dir := filepath.Join(t.TempDir(), "set")
	require.NoError(t, os.CopyFS(dir, os.DirFS(set("shear_flow_tensor"))))
	stats := filepath.Join(dir, well.StatisticsFile)
	text, err := os.ReadFile(stats)
	require.NoError(t, err)
	damaged := strings.Replace(string(text), "\nstd:\n  pressure: 4", "\nstd:\n  pressure: 7", 1)
	require.NoError(t, os.WriteFile(stats, []byte(damaged), 0o600))
	d, err := well.Audit(ctx, dir)
	assert.ErrorContains(t, err, "as in the split train, got")
	assert.Len(t, d.Problems, 1)

	require.NoError(t, os.Remove(stats))
	_, err = well.Audit(ctx, dir)
	assert.ErrorContains(t, err, "the file is missing")

	require.NoError(t, os.WriteFile(stats, text, 0o600))
	files, err := filepath.Glob(filepath.Join(dir, "data", "train", "*"))
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "test", "copy.hdf5"), content, 0o600))
	_, err = well.Audit(ctx, dir)
	assert.ErrorContains(t, err, "trajectory 0: it starts as ")
}
