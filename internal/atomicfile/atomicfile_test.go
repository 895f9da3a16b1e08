package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

var errBroken = errors.New("broken")

// names lists the folder, hidden files included.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	require.NoError(t, atomicfile.WriteBytes(path, []byte("one")))

	// A failed write leaves the old file and no temporary one.
	err := atomicfile.Write(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return errBroken
	})
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, "one", content(t, path))
	require.Equal(t, []string{"a.txt"}, names(t, dir))

	f, err := atomicfile.Create(path)
	require.NoError(t, err)
	_, err = f.WriteString("two")
	require.NoError(t, err)
	require.Equal(t, "one", content(t, path), "before Commit")
	require.NoError(t, f.Commit())
	f.Abort()
	require.ErrorIs(t, f.Commit(), os.ErrClosed)
	require.Equal(t, "two", content(t, path))
	require.Equal(t, []string{"a.txt"}, names(t, dir))

	_, err = atomicfile.Create(dir + string(filepath.Separator))
	require.ErrorContains(t, err, "expected the path of a file")
	_, err = atomicfile.Create(filepath.Join(dir, "none", "a.txt"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestCommitOntoFolder: renaming fails, and the temporary file is gone.
func TestCommitOntoFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "inner"), 0o777))
	require.Error(t, atomicfile.WriteBytes(path, []byte("x")))
	require.Equal(t, []string{"taken"}, names(t, dir))
}

func put(text string) func(string) error {
	return func(dir string) error { return atomicfile.WriteBytes(filepath.Join(dir, "f"), []byte(text)) }
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "d")
	require.NoError(t, os.Mkdir(filepath.Join(parent, ".d.partial"), 0o777), "of an interrupted process")
	require.ErrorIs(t, atomicfile.Folder(dir, func(string) error { return errBroken }), errBroken)
	require.Empty(t, names(t, parent))
	require.NoError(t, atomicfile.Folder(dir, put("one")))
	require.Error(t, atomicfile.Folder(dir, put("two")), "not empty")
	require.Equal(t, "one", content(t, filepath.Join(dir, "f")))
	require.Equal(t, []string{"d"}, names(t, parent))
}

func TestReplace(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "d")
	require.NoError(t, atomicfile.Replace(dir, put("one"), os.RemoveAll))
	require.ErrorIs(t, atomicfile.Replace(dir, func(string) error { return errBroken }, os.RemoveAll), errBroken)
	require.Equal(t, "one", content(t, filepath.Join(dir, "f")))

	kept := ""
	require.NoError(t, atomicfile.Replace(dir, put("two"), func(previous string) error {
		if text, err := os.ReadFile(filepath.Join(previous, "f")); err == nil {
			kept = string(text)
		}
		return os.RemoveAll(previous)
	}))
	require.Equal(t, "one", kept)
	require.Equal(t, "two", content(t, filepath.Join(dir, "f")))
	require.Equal(t, []string{"d"}, names(t, parent))
}
