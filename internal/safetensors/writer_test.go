package safetensors

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var sample = []Info{
	{Name: "flags", DType: BOOL, Shape: []int{3}},
	{Name: "w<é>", DType: F32, Shape: []int{2, 2}},
	{Name: "scalar", DType: F64},
	{Name: "half", DType: F16, Shape: []int{1, 3}},
	{Name: "none", DType: F32, Shape: []int{0, 4}},
	{Name: "ids", DType: I32, Shape: []int{2}},
	{Name: "step", DType: I64, Shape: []int{1}},
	{Name: "brain", DType: BF16, Shape: []int{1}},
}

// writeSample writes every tensor of sample in another order.
func writeSample(t *testing.T, w *Writer) {
	t.Helper()
	require.NoError(t, w.WriteInt64("step", []int64{1 << 40}))
	require.NoError(t, w.WriteFloat32("w<é>", []float32{1, 2, 3, 4}))
	require.NoError(t, w.WriteFloat32("scalar", []float32{0.5}))
	require.NoError(t, w.WriteFloat32("half", []float32{1, 0.1, -2}))
	require.NoError(t, w.WriteFloat32("none", nil))
	require.NoError(t, w.WriteInt32("ids", []int32{-1, 5}))
	require.NoError(t, w.WriteUint8("flags", []uint8{1, 0, 1}))
	require.NoError(t, w.WriteRaw("brain", bytes.NewReader([]byte{0xC0, 0x3F})))
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	w, err := Create(path, sample, map[string]string{"format": "pt", "note": "a \"quote\""})
	require.NoError(t, err)
	defer w.Abort()
	writeSample(t, w)
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist, "visible before Close")
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "a second Close")

	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, []string{"scalar", "step", "w<é>", "none", "ids", "half", "brain", "flags"}, f.Names())
	assert.Equal(t, map[string]string{"format": "pt", "note": "a \"quote\""}, f.Metadata())
	for name, want := range map[string][]float32{
		"w<é>": {1, 2, 3, 4}, "scalar": {0.5}, "half": {1, 0.099975586, -2}, "none": {},
		"ids": {-1, 5}, "flags": {1, 0, 1}, "step": {1 << 40}, "brain": {1.5},
	} {
		got, shape, err := f.Float32(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
		for _, info := range sample {
			if info.Name == name {
				assert.ElementsMatch(t, info.Shape, shape, name)
			}
		}
	}
	assertNothingBeside(t, path)
}

// assertNothingBeside checks that the folder of path contains only path.
func assertNothingBeside(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		assert.Equal(t, filepath.Base(path), e.Name())
	}
}

func TestHeaderIsAlignedAndPadded(t *testing.T) {
	for n := range 9 {
		text, err := encodeHeader([]Info{{Name: strings.Repeat("x", n), DType: U8}}, nil)
		require.NoError(t, err)
		assert.Zero(t, len(text)%8)
		assert.Equal(t, uint64(len(text)-8), binary.LittleEndian.Uint64(text))
		body := strings.TrimRight(string(text[8:]), " ")
		assert.True(t, strings.HasSuffix(body, "}}"), body)
		assert.Less(t, len(text)-8-len(body), 8)
	}
	text, err := encodeHeader(nil, nil)
	require.NoError(t, err)
	assert.Equal(t, "{}      ", string(text[8:]))
}

func TestAbandonedWritesLeaveNothing(t *testing.T) {
	one := []Info{{Name: "a", DType: F32, Shape: []int{2}}, {Name: "b", DType: U8, Shape: []int{1}}}
	tests := []struct {
		name string
		do   func(w *Writer) error
		want string
	}{
		{"nothing written", func(*Writer) error { return nil }, `missing: ["a" "b"]`},
		{"one missing", func(w *Writer) error { return w.WriteFloat32("a", []float32{1, 2}) }, `missing: ["b"]`},
		{"wrong length", func(w *Writer) error { return w.WriteFloat32("a", []float32{1}) }, "expected 2 values for shape [2], got 1"},
		{"wrong dtype", func(w *Writer) error { return w.WriteInt32("a", []int32{1, 2}) }, "expected values of dtype F32, got []int32"},
		{"unknown name", func(w *Writer) error { return w.WriteFloat32("c", nil) }, `tensor "c"`},
		{"written twice", func(w *Writer) error {
			if err := w.WriteUint8("b", []uint8{1}); err != nil {
				return err
			}
			return w.WriteUint8("b", []uint8{1})
		}, "written once"},
		{"raw too short", func(w *Writer) error { return w.WriteRaw("a", strings.NewReader("1234567")) }, "expected 8 bytes, got 7"},
		{"raw too long", func(w *Writer) error { return w.WriteRaw("a", strings.NewReader("123456789")) }, "expected 8 bytes, got more"},
		{"aborted", func(w *Writer) error { w.Abort(); return w.WriteUint8("b", []uint8{1}) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.safetensors")
			require.NoError(t, os.WriteFile(path, []byte("old"), 0o666))
			w, err := Create(path, one, nil)
			require.NoError(t, err)
			writeErr := tt.do(w)
			err = w.Close()
			require.ErrorContains(t, err, tt.want)
			if writeErr != nil {
				assert.ErrorContains(t, writeErr, path)
			}
			assert.Error(t, w.Close(), "a second Close forgets the failure")
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, "old", string(kept))
			assertNothingBeside(t, path)
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name  string
		path  string
		infos []Info
		want  string
	}{
		{"twice", "m", []Info{{Name: "a", DType: U8}, {Name: "a", DType: U8}}, `tensor "a"`},
		{"reserved name", "m", []Info{{Name: "__metadata__", DType: U8}}, "__metadata__"},
		{"dtype", "m", []Info{{Name: "a", DType: "float32"}}, `known dtype, got "float32"`},
		{"negative", "m", []Info{{Name: "a", DType: U8, Shape: []int{-1}}}, "at least 0"},
		{"total too large", "m", []Info{{Name: "a", DType: U8, Shape: []int{1 << 62}}, {Name: "b", DType: U8, Shape: []int{1 << 62}}}, "overflow"},
		{"not UTF-8", "m", []Info{{Name: "\xff", DType: U8}}, "UTF-8"},
		{"no folder", "none/m", nil, "none"},
		{"a folder", "", nil, "path of a file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Create(dir+"/"+tt.path, tt.infos, nil)
			require.ErrorContains(t, err, tt.want)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, entries)
		})
	}
}
