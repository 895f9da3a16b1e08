package hdf5

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded is an object as h5py reads it; see testdata/record.py.
type recorded struct {
	Group      bool
	Attributes map[string]any
	Shape      []int
	CRC32      *uint32
	Damaged    bool
	Type       bool
}

// TestRecordedWell compares every object of the repository's small data sets and golden
// files with the values that h5py reads.
func TestRecordedWell(t *testing.T) {
	compareRecorded(t, filepath.Join("..", "..", "testdata"), filepath.Join("testdata", "well.json"))
}

// TestRecordedLayouts does the same for files of testdata/make.py, which hold every
// layout, index, filter and type that the package reads.
func TestRecordedLayouts(t *testing.T) {
	compareRecorded(t, "testdata", filepath.Join("testdata", "layouts.json"))
}

// TestRecordedOdd does the same for files of testdata/make_odd.py: addresses and
// lengths of other sizes, superblock 1, unfiltered chunks at the edges of datasets.
func TestRecordedOdd(t *testing.T) {
	compareRecorded(t, "testdata", filepath.Join("testdata", "odd.json"))
}

func compareRecorded(t *testing.T, root, list string) {
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	var files map[string]map[string]recorded
	require.NoError(t, json.Unmarshal(raw, &files))
	require.NotEmpty(t, files)
	for name, objects := range files {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join(root, name))
			require.NoError(t, err)
			defer f.Close()
			seen := 0
			walk(t, f, "/", func(path string) { seen++; compareObject(t, f, path, objects[path]) })
			assert.Equal(t, len(objects), seen, "number of objects")
		})
	}
}

// walk visits an object and, if it is a group, everything below it.
func walk(t *testing.T, f *File, path string, visit func(path string)) {
	visit(path)
	group, err := f.IsGroup(path)
	require.NoError(t, err)
	if !group {
		return
	}
	names, err := f.Children(path)
	require.NoError(t, err)
	for _, name := range names {
		walk(t, f, filepath.Join(path, name), visit)
	}
}

func compareObject(t *testing.T, f *File, path string, want recorded) {
	names, err := f.Attributes(path)
	require.NoError(t, err)
	assert.Len(t, names, len(want.Attributes), path)
	for _, name := range names {
		got, err := f.Attribute(path, name)
		if want.Attributes[name] == "unsupported" {
			assert.ErrorContains(t, err, f.Name(), "%s@%s", path, name)
			continue
		}
		require.NoError(t, err, "%s@%s", path, name)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		expected, err := json.Marshal(want.Attributes[name])
		require.NoError(t, err)
		assert.JSONEq(t, string(expected), string(text), "%s@%s", path, name)
	}
	if want.Group || want.Type {
		return
	}
	d, err := f.Dataset(path)
	require.NoError(t, err)
	assert.Equal(t, len(want.Shape), len(d.Shape()), path)
	for i, n := range want.Shape {
		assert.Equal(t, n, d.Shape()[i], path)
	}
	if want.CRC32 == nil && !want.Damaged {
		return
	}
	values := make([]float64, product(d.Shape()))
	err = d.Float64(values, make([]int, len(d.Shape())), d.Shape())
	if want.Damaged {
		assert.ErrorContains(t, err, path)
		return
	}
	require.NoError(t, err)
	b := make([]byte, 0, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	assert.Equal(t, *want.CRC32, crc32.ChecksumIEEE(b), "%s: values", path)
}
