package torchpt

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBrokenArchives(t *testing.T) {
	pkl := entry{name: "m/data.pkl", body: []byte(pickle("N"))}
	whole := zipped(t, pkl)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "got an empty file"},
		{"text", []byte("not a zip archive, but long enough to search in"), "expected a zip archive"},
		{"truncated", whole[:len(whole)-30], "truncated"},
		{"no pickle", zipped(t, entry{name: "m/version", body: []byte("3")}), "one <name>/data.pkl, got 0"},
		{"pickle in no folder", zipped(t, entry{name: "data.pkl", body: []byte(pickle("N"))}), "got 0"},
		{"two pickles", zipped(t, pkl, entry{name: "n/data.pkl", body: []byte(pickle("N"))}), "got 2"},
		{"an entry twice", zipped(t, pkl, entry{name: "m/data/0"}, entry{name: "m/data/0"}), `got "m/data/0" twice`},
		{"big endian", zipped(t, pkl, entry{name: "m/byteorder", body: []byte("big")}), `byte order little, got "big"`},
		{"long byte order", zipped(t, pkl, entry{name: "m/byteorder", body: make([]byte, 17)}), "at most 16 bytes, got 17"},
		{"compressed pickle", zipped(t, entry{"m/data.pkl", []byte(pickle("N")), zip.Deflate}), `entry "data.pkl": expected it stored plainly`},
		{"compressed storage", zipped(t, entry{name: "m/data.pkl", body: []byte(pickle(tensor(4, 0, []int64{4}, []int64{1})))},
			entry{"m/data/0", counting(4), zip.Deflate}), `entry "data/0": expected it stored plainly`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(tt.file)
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "torchpt: test.pt: ")
		})
	}
}

func TestOpenAndClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.pt")
	_, err := Open(path, Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(path, nil, 0o666))
	_, err = Open(path, Options{})
	require.ErrorContains(t, err, path+": expected a zip archive, got an empty file")

	file := checkpoint(t, pickle(tensor(2, 0, []int64{2}, []int64{1})), counting(2))
	require.NoError(t, os.WriteFile(path, file, 0o666))
	f, err := Open(path, Options{})
	require.NoError(t, err)
	x := f.Root().(*Tensor)
	got, err := x.Float32()
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 1}, got)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "a second Close")
	_, err = x.Float32()
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestStateDictIsFound(t *testing.T) {
	x := tensor(4, 0, []int64{4}, []int64{1})
	state := dict(text("w"), parameter(x), text("b"), tensor(4, 1, []int64{2}, []int64{2}))
	scalar := dict(text("epoch"), "K\x01")
	tests := []struct {
		name, body string
		path       []string
	}{
		{"bare", state, []string{}},
		{"model", dict(text("model"), state, text("epoch"), "K\x01"), []string{"model"}},
		{"state_dict", dict(text("epoch"), "K\x01", text("state_dict"), state), []string{"state_dict"}},
		{"model_state", dict(text("iters"), "K\x01", text("model_state"), state), []string{"model_state"}},
		{"app.model", dict(text("app"), dict(text("model"), state, text("optimizer"), scalar)), []string{"app", "model"}},
		{"app.model before model", dict(text("model"), dict(text("x"), x), text("app"), dict(text("model"), state)), []string{"app", "model"}},
		{"past an empty model", dict(text("model"), "}", text("state_dict"), state), []string{"state_dict"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := open(checkpoint(t, pickle(tt.body), counting(4)))
			require.NoError(t, err)
			s, err := f.StateDict()
			require.NoError(t, err)
			assert.Equal(t, tt.path, s.Path)
			assert.Equal(t, []string{"w", "b"}, s.Names())
			b, ok := s.Get("b")
			require.True(t, ok)
			assert.Equal(t, []int{2}, b.Shape)
			got, err := b.Float32()
			require.NoError(t, err)
			assert.Equal(t, []float32{1, 3}, got)
			_, ok = s.Get("nothing")
			assert.False(t, ok)
			assert.ErrorContains(t, b.ReadFloat32(nil), `tensor "b"`)
		})
	}
}

func TestStateDictIsNotFound(t *testing.T) {
	x := tensor(4, 0, []int64{4}, []int64{1})
	tests := []struct{ name, body, want string }{
		{"a tensor", x, "got a tensor"},
		{"empty dict", "}", "got a dict with the keys []"},
		{"mixed", dict(text("w"), x, text("epoch"), "K\x01"), "[w epoch]"},
		{"model with a counter", dict(text("model"), dict(text("w"), x, text("n"), "K\x01")), `model: expected only tensors, got int at "n"`},
		{"numbered", dict("K\x01", x), "keys [1]"},
		{"many keys", dict("K\x00NK\x01NK\x02NK\x03NK\x04NK\x05NK\x06NK\x07NK\x08N"), "and 1 more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := open(checkpoint(t, pickle(tt.body), counting(4)))
			require.NoError(t, err)
			_, err = f.StateDict()
			require.ErrorContains(t, err, "test.pt: expected tensors at app.model, model, state_dict, model_state or the top level")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLookup(t *testing.T) {
	f, err := open(checkpoint(t, pickle(dict(text("a"), dict("K\x00", "](K\x07e"), "\x88", tuple("N")))))
	require.NoError(t, err)
	v, err := f.Lookup("a", 0, 0)
	require.NoError(t, err)
	assert.Equal(t, int64(7), v)
	v, err = f.Lookup(true, 0)
	require.NoError(t, err)
	assert.Nil(t, v)
	for _, tt := range []struct {
		path []any
		want string
	}{
		{[]any{"b"}, `top level: expected an element "b", got dict without it`},
		{[]any{"a", 0, 1}, "a.0: expected an element 1, got list without it"},
		{[]any{"a", 0, -1}, "got list without it"},
		{[]any{"a", 0, 0, "x"}, `a.0.0: expected an element "x", got int without it`},
		{[]any{[]int{1}}, "got dict without it"},
	} {
		_, err := f.Lookup(tt.path...)
		assert.ErrorContains(t, err, tt.want)
	}
	_, err = f.Tensors("a")
	assert.ErrorContains(t, err, "test.pt: a: expected names of tensors, got the key 0")
	root := f.Root().(*Dict)
	assert.Equal(t, 2, root.Len())
	keys := root.Keys()
	keys[0] = "changed"
	assert.Equal(t, []any{"a", true}, root.Keys())
	_, ok := root.Get([]int{1})
	assert.False(t, ok)
}

// TestCRC: a changed byte of an entry that is read whole is an error, unless the option
// switches the comparison off.
func TestCRC(t *testing.T) {
	const n = 3 * window // several pieces
	views := map[string]struct {
		shape, strides []int64
		whole          bool
	}{
		"whole":      {[]int64{n}, []int64{1}, true},
		"transposed": {[]int64{3, window}, []int64{1, 3}, true},
		"a part":     {[]int64{n - 1}, []int64{1}, false},
		"every 2nd":  {[]int64{n / 2}, []int64{2}, false},
	}
	for name, v := range views {
		t.Run(name, func(t *testing.T) {
			raw := checkpoint(t, pickle(tensor(n, 0, v.shape, v.strides)), counting(n))
			at := bytes.Index(raw, counting(n)[4:100])
			require.Positive(t, at)
			for _, changed := range []int{0, 4 * (n - 2)} {
				damaged := bytes.Clone(raw)
				damaged[at-4+changed] ^= 4
				for _, o := range []Options{{}, {SkipCRC: true}} {
					f, err := NewFile(bytes.NewReader(damaged), int64(len(damaged)), "test.pt", o)
					require.NoError(t, err)
					_, err = f.Root().(*Tensor).Float32()
					if v.whole && !o.SkipCRC {
						assert.ErrorContains(t, err, `entry "m/data/0" is damaged: expected CRC-32 `)
					} else {
						assert.NoError(t, err)
					}
				}
			}
		})
	}
	raw := checkpoint(t, pickle(tensor(n, 0, []int64{n}, []int64{1})), counting(n))
	at := bytes.Index(raw, []byte("cpu"))
	raw[at] = 'g'
	_, err := open(raw)
	assert.ErrorContains(t, err, `entry "m/data.pkl" is damaged: expected CRC-32 `)
	_, err = NewFile(bytes.NewReader(raw), int64(len(raw)), "test.pt", Options{SkipCRC: true})
	assert.NoError(t, err)
}

// TestFinds reads files that were once accepted in silence.
func TestFinds(t *testing.T) {
	_, err := Open("testdata/finds/expand_100.pt", Options{})
	assert.ErrorContains(t, err, "of tensors that repeat their storages, got more")
	f, err := Open("testdata/finds/crc_wrong_data.pt", Options{})
	if err == nil {
		defer f.Close()
		var s *StateDict
		s, err = f.StateDict()
		for i := 0; err == nil && i < len(s.Tensors); i++ {
			_, err = s.Tensors[i].Float32()
		}
	}
	assert.ErrorContains(t, err, "is damaged: expected CRC-32")
}
