package zarr

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
)

// FuzzStore reads a store of one array with damaged metadata and one damaged chunk. Errors
// are allowed, but no panic and no memory beyond some copies of the largest chunk, which is
// 1 MiB here.
func FuzzStore(f *testing.F) {
	for _, name := range []string{"two.zarr", "three.zarr"} {
		fsys := os.DirFS(ndtest.Path(name))
		err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != ".zarray" && d.Name() != "zarr.json" {
				return err
			}
			metadata, err := fs.ReadFile(fsys, p)
			if err != nil {
				return err
			}
			chunk := []byte("no chunk")
			for _, key := range keys {
				if b, err := fs.ReadFile(fsys, path.Join(path.Dir(p), key)); err == nil {
					chunk = b
				}
			}
			f.Add(d.Name() == "zarr.json", metadata, chunk)
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	maxChunk = 1 << 20
	f.Fuzz(func(t *testing.T, three bool, metadata, chunk []byte) {
		name := ".zarray"
		if three {
			name = "zarr.json"
		}
		fsys := fstest.MapFS{name: {Data: metadata}}
		for _, key := range keys {
			fsys[key] = &fstest.MapFile{Data: chunk}
		}
		limit := 16*uint64(maxChunk) + 64*uint64(len(metadata)+len(chunk))
		ndtest.Allocated(t, limit, func() {
			s, err := OpenFS(fsys, "fuzz")
			if err != nil {
				return
			}
			for _, a := range s.Arrays() {
				if chunks(a) < 64 {
					ndtest.Corner(a)
				}
			}
		})
	})
}

// keys lists the names of the first chunk of arrays of up to four axes.
var keys = []string{"0", "0.0", "0.0.0", "0.0.0.0", "c", "c/0", "c/0/0", "c/0/0/0", "c/0/0/0/0", strings.Repeat("0/", 3) + "0"}

// chunks returns the number of chunks of an array, which bounds the time of a read.
func chunks(a *Array) float64 {
	n := 1.0
	for i, c := range a.Chunk() {
		n *= float64(a.Shape()[i])/float64(c) + 1
	}
	return n
}
