package hdf5

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

var (
	_ driver.File   = (*File)(nil)
	_ driver.Writer = (*Writer)(nil)
)

// TestWriterRoundTrip writes every type of attribute and dataset and reads them back.
func TestWriterRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.h5")
	w, err := Create(path)
	require.NoError(t, err)
	attributes := map[string]any{
		"text": "Grüße", "empty": "", "texts": []string{"x", "", "Grüße", "long text"}, "flag": true, "flags": []bool{true, false, true},
		"int": int64(-3), "ints": []int64{1, 2}, "float": 1.5, "floats": []float64{0.1, -2},
	}
	require.NoError(t, w.Group("/g"))
	require.NoError(t, w.Group("/g/inner"))
	for name, v := range attributes {
		require.NoError(t, w.Attribute("/g", name, v))
	}
	require.NoError(t, w.Attribute("/", "none", []string{}))
	for i := range 3000 { // more texts than one collection of the heap holds
		require.NoError(t, w.Group(fmt.Sprintf("/g/member_%04d", i)))
		require.NoError(t, w.Attribute(fmt.Sprintf("/g/member_%04d", i), "name", fmt.Sprint("number ", i)))
	}
	specs := map[string]driver.Spec{
		"scalar": {Type: "float32"}, "doubles": {Type: "float64", Shape: []int{4, 6, 2}}, "ints": {Type: "int64", Shape: []int{7}},
		"bools": {Type: "bool", Shape: []int{5, 3}}, "empty": {Type: "float32", Shape: []int{0, 3}},
		"plain":  {Type: "float32", Shape: []int{4, 6}, Chunk: []int{2, 3}},
		"gzip":   {Type: "float32", Shape: []int{8, 9, 4}, Chunk: []int{1, 3, 4}, Deflate: 6},
		"many":   {Type: "float32", Shape: []int{100, 90}, Chunk: []int{1, 1}},
		"double": {Type: "float64", Shape: []int{8, 4}, Chunk: []int{4, 2}, Deflate: 1},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[string][]float32{}
	for name, spec := range specs {
		d, err := w.Dataset("/"+name, spec)
		require.NoError(t, err)
		require.NoError(t, w.Attribute("/"+name, "unit", "m/s"))
		want[name] = fillRandom(t, rng, d, spec)
	}
	require.NoError(t, w.Close())
	require.Error(t, w.Close())
	require.NoError(t, w.Abort(), "nothing to do")

	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	for name, v := range attributes {
		got, err := f.Attribute("/g", name)
		require.NoError(t, err)
		assert.Equal(t, v, got, name)
	}
	got, err := f.Attribute("/g/member_2999", "name")
	require.NoError(t, err)
	assert.Equal(t, "number 2999", got)
	got, err = f.Attribute("/", "none")
	require.NoError(t, err)
	assert.Equal(t, []float64{}, got)
	children, err := f.Children("/g")
	require.NoError(t, err)
	assert.Len(t, children, 3001)
	for name, spec := range specs {
		d, err := f.Dataset("/" + name)
		require.NoError(t, err)
		assert.Equal(t, spec.Type, d.Type())
		assert.Equal(t, len(spec.Shape), len(d.Shape()))
		assert.Equal(t, spec.Chunk, d.Chunk())
		values := make([]float32, product(spec.Shape))
		require.NoError(t, d.Float32(values, make([]int, len(spec.Shape)), spec.Shape))
		assert.Equal(t, want[name], values, name)
	}
	assertOnly(t, filepath.Dir(path), "a.h5")
}

// fillRandom writes random values, chunk by chunk from several goroutines, and
// returns them.
func fillRandom(t *testing.T, rng *rand.Rand, d driver.DatasetWriter, spec driver.Spec) []float32 {
	all := make([]float32, product(spec.Shape))
	for i := range all {
		all[i] = float32(rng.IntN(1000) - 500)
		if spec.Type == "bool" {
			all[i] = float32(rng.IntN(2))
		}
	}
	zero := make([]int, len(spec.Shape))
	if spec.Chunk == nil {
		require.NoError(t, d.Float32(all, zero, spec.Shape))
		return all
	}
	at, low, high := make([]int, len(zero)), zero, make([]int, len(zero))
	for i := range high {
		high[i] = spec.Shape[i]/spec.Chunk[i] - 1
	}
	var group sync.WaitGroup
	for {
		offset := make([]int, len(at))
		for i, a := range at {
			offset[i] = a * spec.Chunk[i]
		}
		group.Go(func() {
			part := make([]float32, product(spec.Chunk))
			_ = box{spec.Shape, offset, spec.Chunk, zero, spec.Chunk}.runs(func(from, to, n int) error {
				copy(part[to:to+n], all[from:])
				return nil
			})
			assert.NoError(t, d.Float32(part, offset, spec.Chunk))
		})
		if !advance(at, low, high) {
			break
		}
	}
	group.Wait()
	return all
}

// assertOnly checks the names of the files in a folder.
func assertOnly(t *testing.T, dir string, names ...string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	assert.ElementsMatch(t, names, got)
}

func TestWriterErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.h5")
	w, err := Create(path)
	require.NoError(t, err)
	d, err := w.Dataset("/d", driver.Spec{Type: "float32", Shape: []int{4, 4}, Chunk: []int{2, 4}})
	require.NoError(t, err)
	block := make([]float32, 8)
	require.NoError(t, d.Float32(block, []int{2, 0}, []int{2, 4}))
	second := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"/d: the object exists":                                              w.Group("/d"),
		"/x/y: expected a group /x, got none":                                w.Group("/x/y"),
		"/d/y: expected a group /d, got none":                                w.Group("/d/y"),
		`expected a path such as "/group/name", got "g"`:                     w.Group("g"),
		"/g: not found: expected a group or a dataset":                       w.Attribute("/g", "a", 1.5),
		`attribute "a": expected a string, bool, int64, float64 or a list`:   w.Attribute("/d", "a", 3),
		"the chunk at [2 0] is written twice":                                d.Float32(block, []int{2, 0}, []int{2, 4}),
		"expected one chunk of shape [2 4], got [2 4] elements at [1 0]":     d.Float32(block, []int{1, 0}, []int{2, 4}),
		"expected a block within shape [4 4], got [2 4] elements at [4 0]":   d.Float32(block, []int{4, 0}, []int{2, 4}),
		"expected 8 values, got 7":                                           d.Float32(block[1:], []int{0, 0}, []int{2, 4}),
		"expected chunks that divide shape [5], got [2]":                     second(w.Dataset("/e", driver.Spec{Type: "float32", Shape: []int{5}, Chunk: []int{2}})),
		`expected the type float32, float64, int64 or bool, got "int8"`:      second(w.Dataset("/e", driver.Spec{Type: "int8"})),
		"expected a compression level of 0 to 9, with chunks unless it is 0": second(w.Dataset("/e", driver.Spec{Type: "float32", Deflate: 3})),
	} {
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, path)
	}
	require.NoError(t, w.Abort())
	assertOnly(t, dir)
	assert.ErrorContains(t, d.Float32(block, []int{0, 0}, []int{2, 4}), "the file is closed")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = Create(path)
	assert.ErrorContains(t, err, "the file exists")
}
