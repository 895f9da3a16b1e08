package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw builds a file from header text and data bytes.
func raw(header string, data ...byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func open(b []byte) (*File, error) {
	return NewFile(bytes.NewReader(b), int64(len(b)), "test.safetensors")
}

const one = `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`

func TestOpenRefusesDamage(t *testing.T) {
	u8 := func(name, shape, offsets string) string {
		return `"` + name + `":{"dtype":"U8","shape":` + shape + `,"data_offsets":` + offsets + `}`
	}
	huge := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "expected at least 8 bytes, got 0"},
		{"seven bytes", make([]byte, 7), "got 7"},
		{"no header", make([]byte, 8), "begins with '{'"},
		{"header length of all ones", huge, "at most 100000000"},
		{"header beyond the file", raw(one)[:20], "truncated"},
		{"data cut off", raw(one, 1), `tensor "a": expected offsets within 1 bytes`},
		{"bytes after the data", raw(one, 1, 2, 3), "expected 2 bytes of data, got 3"},
		{"not JSON", raw(`{"a"!`), "broken JSON"},
		{"array", raw(`[]`), "begins with '{'"},
		{"leading space", raw(` {}`), "begins with '{'"},
		{"text after the JSON", raw(`{} {}`), "only spaces"},
		{"not UTF-8", raw("{\"\xff\":1}"), "UTF-8"},
		{"entry is a number", raw(`{"a":1}`), `expected '{'`},
		{"unknown dtype", raw(strings.Replace(one, "U8", "X9", 1), 1, 2), `known dtype, got "X9"`},
		{"dtype is a number", raw(strings.Replace(one, `"U8"`, "8", 1), 1, 2), "dtype: expected a string"},
		{"fraction in shape", raw(strings.Replace(one, "[2]", "[2.0]", 1), 1, 2), "shape: expected integers"},
		{"negative length", raw(strings.Replace(one, "[2]", "[-2]", 1), 1, 2), "shape: expected integers"},
		{"string in shape", raw(strings.Replace(one, "[2]", `["2"]`, 1), 1, 2), "shape: expected integers"},
		{"missing offsets", raw(`{"a":{"dtype":"U8","shape":[0]}}`), "got 2 keys"},
		{"three offsets", raw(strings.Replace(one, "[0,2]", "[0,1,2]", 1), 1, 2), "[0 1 2]"},
		{"stray key", raw(strings.Replace(one, `"dtype"`, `"x":1,"dtype"`, 1), 1, 2), `got "x"`},
		{"offsets reversed", raw(strings.Replace(one, "[0,2]", "[2,0]", 1), 1, 2), "offsets [2 0]"},
		{"span too short", raw(strings.Replace(one, "[0,2]", "[0,1]", 1), 1), "expected 2 bytes"},
		{"offset beyond 63 bits", raw(strings.Replace(one, "[0,2]", "[0,9223372036854775808]", 1)), "data_offsets: expected integers"},
		{"product overflows", raw(strings.Replace(one, "[2]", "[4294967296,4294967296,4]", 1), 1, 2), "overflow"},
		{"bytes overflow", raw(strings.NewReplacer("[2]", "[4611686018427387904]", "U8", "F64").Replace(one), 1, 2), "overflow"},
		{"hole", raw("{"+u8("a", "[1]", "[0,1]")+","+u8("b", "[1]", "[2,3]")+"}", 1, 2, 3), `tensor "b": expected to begin at byte 1`},
		{"overlap", raw("{"+u8("a", "[2]", "[0,2]")+","+u8("b", "[2]", "[1,3]")+"}", 1, 2, 3), `tensor "b": expected to begin at byte 2`},
		{"hole at the start", raw(strings.Replace(one, "[0,2]", "[1,3]", 1), 1, 2, 3), "begin at byte 0"},
		{"tensor twice", raw("{"+u8("a", "[1]", "[0,1]")+","+u8("a", "[1]", "[1,2]")+"}", 1, 2), `got "a" twice`},
		{"tensor twice by escape", raw("{"+u8("a", "[1]", "[0,1]")+","+u8(`\u0061`, "[1]", "[1,2]")+"}", 1, 2), `got "a" twice`},
		{"key twice in an entry", raw(strings.Replace(one, `"dtype"`, `"dtype":"U8","dtype"`, 1), 1, 2), `got "dtype" twice`},
		{"metadata is not strings", raw(`{"__metadata__":{"a":1}}`), `expected a string for "a"`},
		{"metadata key twice", raw(`{"__metadata__":{"a":"1","a":"2"}}`), `got "a" twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(tt.file)
			require.Error(t, err)
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "test.safetensors")
		})
	}
}

func TestOpenAccepts(t *testing.T) {
	tests := []struct {
		name  string
		file  []byte
		names []string
	}{
		{"no tensors", raw(`{}`), []string{}},
		{"padding", raw(one+"    ", 1, 2), []string{"a"}},
		{"empty tensor between others", raw(`{"z":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},`+
			`"e":{"dtype":"F32","shape":[0,3],"data_offsets":[1,1]},"b":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 1, 2),
			[]string{"z", "e", "b"}},
		{"offset order is not key order", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},`+
			`"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, 2), []string{"b", "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := open(tt.file)
			require.NoError(t, err)
			assert.Equal(t, tt.names, f.Names())
			assert.NoError(t, f.Close())
		})
	}
}

func TestOpenMissingAndEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.safetensors")
	_, err := Open(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, path)

	require.NoError(t, os.WriteFile(path, nil, 0o666))
	_, err = Open(path)
	require.ErrorContains(t, err, "expected at least 8 bytes, got 0")
	assert.ErrorContains(t, err, path)
}

func TestMetadataAndInfoAreCopies(t *testing.T) {
	f, err := open(raw(`{"__metadata__":{"format":"pt"},`+one[1:], 1, 2))
	require.NoError(t, err)
	f.Metadata()["format"] = "changed"
	assert.Equal(t, map[string]string{"format": "pt"}, f.Metadata())

	info, ok := f.Info("a")
	require.True(t, ok)
	assert.Equal(t, Info{Name: "a", DType: U8, Shape: []int{2}, Begin: 0, End: 2}, info)
	info.Shape[0] = 7
	again, _ := f.Info("a")
	assert.Equal(t, []int{2}, again.Shape)
	_, ok = f.Info("b")
	assert.False(t, ok)
}
