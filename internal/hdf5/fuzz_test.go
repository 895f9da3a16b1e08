package hdf5

import (
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// FuzzOpen walks all groups, attributes and values of a file. Errors are allowed, but
// no panic, no endless loop and no excessive memory. With anyChecksum, damage also
// reaches the structures that checksums protect.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{
		filepath.Join("testdata", "layouts_userblock.h5"), filepath.Join("testdata", "layouts_paged.h5"),
		filepath.Join("testdata", "fuzz_new.h5"), filepath.Join("testdata", "fuzz_old.h5"),
		filepath.Join("..", "..", "testdata", "data", "broken", "33_signature_only.hdf5"),
	} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, anyChecksum bool) {
		explore(t, "fuzz", b, anyChecksum)
	})
}

// visit reads an object and those below it. Hard links may form cycles, so depth and
// number are bounded.
func visit(f *File, p string, depth int, left *int) {
	if *left--; *left < 0 || depth > 6 {
		return
	}
	names, _ := f.Attributes(p)
	for _, name := range names {
		_, _ = f.Attribute(p, name)
	}
	if d, err := f.Dataset(p); err == nil {
		_ = d.Type()
		readCorner(d)
		return
	}
	children, _ := f.Children(p)
	for _, c := range children {
		visit(f, path.Join(p, c), depth+1, left)
	}
}

// readCorner reads up to 2^16 elements at the end of a dataset.
func readCorner(d driver.Dataset) {
	n, offset, count := 1, make([]int, len(d.Shape())), make([]int, len(d.Shape()))
	for i, s := range d.Shape() {
		count[i] = min(s, 1<<16/max(n, 1))
		offset[i] = s - count[i]
		n *= count[i]
	}
	_ = d.Float32(make([]float32, n), offset, count)
}
