package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// EnvDir is the environment variable that names another set of vectors.
const EnvDir = "WALRUS_GOLDEN"

// module is the first line of the go.mod whose folder holds testdata/golden.
var module = []byte("module github.com/gowalrus/gowalrus\n")

// Dir returns the folder of the golden vectors: WALRUS_GOLDEN, which must be an
// absolute path, or testdata/golden under the module root, which is searched upwards
// from the working directory.
func Dir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv(EnvDir); dir != "" {
		if !filepath.IsAbs(dir) {
			tb.Fatalf("golden: %s: expected an absolute path, got %q", EnvDir, dir)
		}
		return dir
	}
	start, err := os.Getwd()
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	root, ok := moduleRoot(start)
	if !ok {
		tb.Fatalf("golden: expected to run inside the module's own folder, got %s; set %s to the vectors' folder", start, EnvDir)
	}
	return filepath.Join(root, "testdata", "golden")
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

// own reports whether Dir is the repository's own set.
func own() bool { return os.Getenv(EnvDir) == "" }

// Path returns the path of one file of the set, which must exist: "f_kernel_table.json",
// "well/demo2d/data/train/a.hdf5".
func Path(tb testing.TB, name string) string {
	tb.Helper()
	if !filepath.IsLocal(name) {
		tb.Fatalf("golden: expected a file inside the golden folder, got %q", name)
	}
	path := filepath.Join(Dir(tb), name)
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("golden: %v (the vectors are not part of the published module: clone the repository or set %s)", err, EnvDir)
	}
	return path
}
