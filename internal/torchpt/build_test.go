package torchpt

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The helpers below write pickles byte by byte, in protocol 2.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// number is a signed integer of eight bytes (LONG1).
func number(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func class2(module, name string) string { return "c" + module + "\n" + name + "\n" }

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func numbers(ns ...int64) string {
	items := make([]string, len(ns))
	for i, n := range ns {
		items[i] = number(n)
	}
	return tuple(items...)
}

// dict has arguments key, value, key, value, …
func dict(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

func pickle(body string) string { return "\x80\x02" + body + "." }

// storageID returns a persistent id and the opcode that resolves it.
func storageID(class, key string, elements int64) string {
	return tuple(text("storage"), class2("torch", class), text(key), text("cpu"), number(elements)) + "Q"
}

const hooks = "ccollections\nOrderedDict\n)R"

// tensor returns a float tensor in storage data/0.
func tensor(elements, offset int64, shape, strides []int64) string {
	return tensorOf(storageID("FloatStorage", "0", elements), number(offset), numbers(shape...), numbers(strides...))
}

func tensorOf(storage, offset, shape, strides string) string {
	return class2("torch._utils", "_rebuild_tensor_v2") + tuple(storage, offset, shape, strides, "\x89", hooks) + "R"
}

func parameter(tensor string) string {
	return class2("torch._utils", "_rebuild_parameter") + tuple(tensor, "\x88", hooks) + "R"
}

// counting returns a storage of float32 0, 1, 2, …
func counting(n int) []byte {
	b := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(float32(i)))
	}
	return b
}

// entry is one file of an archive under construction.
type entry struct {
	name   string
	body   []byte
	method uint16
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		require.NoError(t, err)
		_, err = w.Write(e.body)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}

// checkpoint returns an archive of a pickle and its storages.
func checkpoint(t testing.TB, pickle string, storages ...[]byte) []byte {
	t.Helper()
	entries := []entry{{name: "m/data.pkl", body: []byte(pickle)}, {name: "m/byteorder", body: []byte("little")}}
	for i, s := range storages {
		entries = append(entries, entry{name: fmt.Sprintf("m/data/%d", i), body: s})
	}
	return zipped(t, entries...)
}

func open(b []byte) (*File, error) {
	return NewFile(bytes.NewReader(b), int64(len(b)), "test.pt", Options{})
}
