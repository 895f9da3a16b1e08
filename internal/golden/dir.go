package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A Set is one folder of vectors with a manifest. The functions of this package that are
// named like its methods read the set of Walrus.
type Set struct {
	// Env is the environment variable that names another folder of the same form.
	Env string
	// Folder is the repository's own copy, relative to the module root.
	Folder string
}

// EnvDir is the environment variable that names another set of Walrus's vectors.
const EnvDir = "WALRUS_GOLDEN"

// Walrus is the set of the reference implementation of Walrus, and Peers that of
// Poseidon, DPOT and MPP.
var (
	Walrus = Set{EnvDir, "testdata/golden"}
	Peers  = Set{"WALRUS_BASELINES", "testdata/peers"}
)

// module is the first line of the go.mod whose folder holds the sets.
var module = []byte("module github.com/gowalrus/gowalrus\n")

// Dir returns the folder of Walrus's vectors; see Set.Dir.
func Dir(tb testing.TB) string { tb.Helper(); return Walrus.Dir(tb) }

// Path returns the path of one file of Walrus's vectors; see Set.Path.
func Path(tb testing.TB, name string) string { tb.Helper(); return Walrus.Path(tb, name) }

// Dir returns the folder of the set: what its environment variable says, which must be an
// absolute path, or the repository's own copy under the module root, which is searched
// upwards from the working directory.
func (s Set) Dir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv(s.Env); dir != "" {
		if !filepath.IsAbs(dir) {
			tb.Fatalf("golden: %s: expected an absolute path, got %q", s.Env, dir)
		}
		return dir
	}
	start, err := os.Getwd()
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	root, ok := moduleRoot(start)
	if !ok {
		tb.Fatalf("golden: expected to run inside the module's own folder, got %s; set %s to the vectors' folder", start, s.Env)
	}
	return filepath.Join(root, filepath.FromSlash(s.Folder))
}

// moduleRoot walks up from dir to the folder of this module's go.mod. It skips modules
// nested inside it.
func moduleRoot(dir string) (string, bool) {
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), module) {
			return dir, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// own reports whether Dir is the repository's copy.
func (s Set) own() bool { return os.Getenv(s.Env) == "" }

// Path returns the path of one file of the set, which must exist: "f_kernel_table.json",
// "well/demo2d/data/train/a.hdf5".
func (s Set) Path(tb testing.TB, name string) string {
	tb.Helper()
	if !filepath.IsLocal(name) {
		tb.Fatalf("golden: expected a file inside the golden folder, got %q", name)
	}
	path := filepath.Join(s.Dir(tb), name)
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("golden: %v (the vectors are not part of the published module: clone the repository or set %s)", err, s.Env)
	}
	return path
}
