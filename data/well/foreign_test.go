package well_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
)

// TestForeign: files and folders of other layouts are a ForeignError, which says how to
// import them. Files that are missing, and damaged files of the layout, are none.
func TestForeign(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "data")
	for _, name := range []string{
		"arrays/plain.npz", "arrays/classic.nc", "arrays/plain.h5", "arrays/runs", "arrays/four.nc",
		"sources/PDEBench/2D_diff-react_NA_NA.h5",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		_, err := well.Open(path, well.Options{})
		var foreign *well.ForeignError
		require.ErrorAs(t, err, &foreign, name)
		assert.Equal(t, path, foreign.Path)
		assert.ErrorContains(t, err, path)
		assert.ErrorContains(t, err, "gowalrus import --guess")
	}
	_, err := well.Open(filepath.Join(root, "nowhere"), well.Options{})
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = well.Open(filepath.Join(root, "broken", "05_no_dimensions.hdf5"), well.Options{})
	var foreign *well.ForeignError
	require.Error(t, err)
	assert.NotErrorAs(t, err, &foreign)
}
