package torchpt

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// written writes tensors of some shapes with counting values.
func written(t *testing.T, infos []Info, path ...string) ([]byte, [][]float32) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, "walrus", infos, path...)
	require.NoError(t, err)
	var all [][]float32
	for i, info := range infos {
		n := 1
		for _, d := range info.Shape {
			n *= d
		}
		values := make([]float32, n)
		for k := range values {
			values[k] = float32(k) + float32(i)/8
		}
		require.NoError(t, w.WriteFloat32(values))
		all = append(all, values)
	}
	require.NoError(t, w.Close())
	return out.Bytes(), all
}

// TestWriterRoundTrip reads back names in order, shapes, values, and the special values of float32 bit by bit.
func TestWriterRoundTrip(t *testing.T) {
	infos := []Info{{"a.weight", []int{3, 5}}, {"scalar", nil}, {"empty", []int{0, 4}}, {"long", []int{1 << 15}},
		{"ünï", []int{1}}, {strings.Repeat("n", 300), []int{2, 1, 2, 1, 2}}}
	for _, path := range [][]string{nil, {"model"}, {"app", "model"}} {
		b, want := written(t, infos, path...)
		f, err := open(b)
		require.NoError(t, err)
		state, err := f.Tensors(path...)
		require.NoError(t, err)
		require.Len(t, state.Tensors, len(infos))
		for i, x := range state.Tensors {
			require.Equal(t, infos[i].Name, x.Name)
			require.Equal(t, "F32", x.DType)
			require.Equal(t, append([]int{}, infos[i].Shape...), x.Shape)
			got, err := x.Float32()
			require.NoError(t, err)
			require.Equal(t, append([]float32{}, want[i]...), append([]float32{}, got...))
		}
	}
	special := []float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32}
	var out bytes.Buffer
	w, err := NewWriter(&out, "m", []Info{{"x", []int{4}}})
	require.NoError(t, err)
	require.NoError(t, w.WriteFloat32(special))
	require.NoError(t, w.Close())
	f, err := open(out.Bytes())
	require.NoError(t, err)
	state, err := f.Tensors()
	require.NoError(t, err)
	got, err := state.Tensors[0].Float32()
	require.NoError(t, err)
	for i, v := range special {
		require.Equal(t, math.Float32bits(v), math.Float32bits(got[i]))
	}
}

// TestWriterWith writes tensors and settings and reads both back.
func TestWriterWith(t *testing.T) {
	inner := &Dict{}
	require.NoError(t, inner.set(int64(1), Tuple{nil, true, false}))
	args := NewNamespace(map[string]any{"n": int64(-3), "big": int64(1) << 40, "rate": 0.25, "name": "ns2d",
		"list": &List{Items: []any{"a", int64(1)}}, "dict": inner})
	var out bytes.Buffer
	w, err := NewWriterWith(&out, "m", []Info{{"x", []int{1}}}, []Entry{{"args", args}, {"epoch", int64(7)}}, "model")
	require.NoError(t, err)
	require.NoError(t, w.WriteFloat32([]float32{1}))
	require.NoError(t, w.Close())
	f, err := open(out.Bytes())
	require.NoError(t, err)
	require.Equal(t, []any{"args", "epoch", "model"}, f.Root().(*Dict).Keys())
	got, err := f.Lookup("args")
	require.NoError(t, err)
	require.Equal(t, args, got)
	name, err := f.Lookup("args", "name")
	require.NoError(t, err)
	require.Equal(t, "ns2d", name)
	state, err := f.StateDict()
	require.NoError(t, err)
	require.Equal(t, []string{"model"}, state.Path)
	require.Equal(t, []string{"x"}, state.Names())

	_, err = NewWriterWith(&out, "m", nil, []Entry{{"args", args}})
	require.ErrorContains(t, err, `entry "args": expected a key for the tensors`)
	_, err = NewWriterWith(&out, "m", nil, []Entry{{"args", []byte("a")}}, "model")
	require.ErrorContains(t, err, `entry "args": expected None, bools, numbers, strings and containers of them, got bytes`)
	loop := &List{}
	loop.Items = []any{loop}
	_, err = NewWriterWith(&out, "m", nil, []Entry{{"args", loop}}, "model")
	require.ErrorContains(t, err, "nested at most 32 deep")
}

// TestWriterAligns: torch maps storages into memory, so each begins at a multiple of 64
// bytes and is stored as it is.
func TestWriterAligns(t *testing.T) {
	var infos []Info
	for i := range 200 {
		infos = append(infos, Info{strings.Repeat("k", i+1), []int{i % 23}})
	}
	b, _ := written(t, infos, "app", "model")
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range z.File {
		names[f.Name] = true
		at, err := f.DataOffset()
		require.NoError(t, err)
		require.Zero(t, at%alignment, f.Name)
		require.Equal(t, zip.Store, f.Method)
	}
	for _, name := range []string{"walrus/data.pkl", "walrus/byteorder", "walrus/version", "walrus/data/199"} {
		require.True(t, names[name], name)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterErrors(t *testing.T) {
	two := []Info{{"a", []int{2}}, {"b", []int{1}}}
	_, err := NewWriter(&bytes.Buffer{}, "m", []Info{two[0], two[0]})
	require.EqualError(t, err, `torchpt: tensor "a": expected every name once, got it twice`)
	_, err = NewWriter(&bytes.Buffer{}, "m", []Info{{"a", []int{-1}}})
	require.ErrorContains(t, err, `torchpt: tensor "a": `)
	_, err = NewWriter(&bytes.Buffer{}, "", two)
	require.ErrorContains(t, err, "expected a folder")

	w, err := NewWriter(&bytes.Buffer{}, "m", two)
	require.NoError(t, err)
	require.EqualError(t, w.WriteFloat32([]float32{1}), `torchpt: tensor "a": expected 2 values for shape [2], got 1`)
	require.NoError(t, w.WriteFloat32([]float32{1, 2}))
	require.EqualError(t, w.Close(), "torchpt: expected 2 tensors, got 1")
	require.NoError(t, w.WriteFloat32([]float32{1}))
	require.EqualError(t, w.WriteFloat32(nil), "torchpt: expected 2 tensors, got more")

	w, err = NewWriter(fullDisk{}, "m", two)
	if err == nil {
		err = errors.Join(w.WriteFloat32([]float32{1, 2}), w.WriteFloat32([]float32{1}), w.Close())
	}
	require.ErrorContains(t, err, "disk full")
}
