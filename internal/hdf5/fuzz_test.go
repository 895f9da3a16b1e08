package hdf5

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// FuzzOpen walks whatever a file holds: groups, attributes and values. There may
// be errors, but no panic, no endless loop and no memory beyond reason.
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
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := NewFile(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		left := 2000
		visit(file, "/", 0, &left)
	})
}

// visit reads an object and those below it. Hard links may form rings, so depth
// and number are bounded.
func visit(f *File, p string, depth int, left *int) {
	if *left--; *left < 0 || depth > 6 {
		return
	}
	names, _ := f.Attributes(p)
	for _, name := range names {
		_, _ = f.Attribute(p, name)
	}
	if d, err := f.Dataset(p); err == nil {
		n := 1
		for _, s := range d.Shape() {
			if n *= s; n > 1<<16 {
				return
			}
		}
		_ = d.Float32(make([]float32, n), make([]int, len(d.Shape())), d.Shape())
		_ = d.Type()
		return
	}
	children, _ := f.Children(p)
	for _, c := range children {
		visit(f, path.Join(p, c), depth+1, left)
	}
}
