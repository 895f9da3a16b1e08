package driver_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

var broken = filepath.Join("..", "..", "..", "testdata", "data", "broken")

// TestError: an error gives library, file and object as values.
func TestError(t *testing.T) {
	path := filepath.Join(broken, "27_chunk_flipped_bytes_gzip.hdf5")
	ds, err := well.Open(path, well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	chunk, ok := errors.AsType[*driver.Error](ds.Check(t.Context(), nil))
	require.True(t, ok)
	assert.Equal(t, []string{"hdf5", path, "/t0_fields/A"}, []string{chunk.Driver, chunk.File, chunk.Object})

	path = filepath.Join(t.TempDir(), "text.hdf5")
	require.NoError(t, os.WriteFile(path, []byte("no HDF5"), 0o600))
	_, err = well.Open(path, well.Options{})
	file, ok := errors.AsType[*driver.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []string{"hdf5", path, ""}, []string{file.Driver, file.File, file.Object})
}

// TestFileOnce: every error of a broken file names the file, once.
func TestFileOnce(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(broken, "*.hdf5"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		ds, err := well.Open(path, well.Options{})
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				assert.Equal(t, 1, strings.Count(line, path), line)
			}
			continue
		}
		require.NoError(t, ds.Close())
	}
}
