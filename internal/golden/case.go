package golden

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// Case is one entry of the manifest. Fields that a case lacks are zero; Decode reads
// its additional keys.
type Case struct {
	// Case is the name, File the file of tensors, Desc their description.
	Case, File, Desc string
	// Weights is "file" or "file:prefix.*"; see OpenWeights.
	Weights string
	// Items are the parts of the case, each with additional keys; see Item. The tensors
	// of item i are usually named "i.…".
	Items []json.RawMessage
	// Tensors lists the tensors of File.
	Tensors map[string]Tensor

	raw json.RawMessage
	set Set
}

// Decode unmarshals the whole case into v, a pointer to a struct that names the keys of
// interest.
func (c Case) Decode(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal(c.raw, v); err != nil {
		tb.Fatalf("golden: case %s: %v", c.Case, err)
	}
}

// Item unmarshals item i into v.
func (c Case) Item(tb testing.TB, i int, v any) {
	tb.Helper()
	if i < 0 || i >= len(c.Items) {
		tb.Fatalf("golden: case %s: expected an item below %d, got %d", c.Case, len(c.Items), i)
	}
	if err := json.Unmarshal(c.Items[i], v); err != nil {
		tb.Fatalf("golden: case %s: item %d: %v", c.Case, i, err)
	}
}

// Open opens the case's tensors; they are closed when the test ends.
func (c Case) Open(tb testing.TB) *File {
	tb.Helper()
	return c.set.OpenFile(tb, c.File)
}

// OpenWeights opens the weights that the case was computed with and returns the prefix
// of its parameters: "blocks.0.space_mixing.", or "" for the whole model.
func (c Case) OpenWeights(tb testing.TB) (*File, string) {
	tb.Helper()
	if c.Weights == "" {
		tb.Fatalf("golden: case %s: expected weights in the manifest, got none", c.Case)
	}
	file, pattern, _ := strings.Cut(c.Weights, ":")
	prefix := strings.TrimSuffix(pattern, "*")
	if strings.Contains(prefix, "*") {
		tb.Fatalf("golden: case %s: expected weights as file:prefix.*, got %q", c.Case, c.Weights)
	}
	return c.set.OpenFile(tb, file), prefix
}

// File is an open file of tensors whose readers end the test on failure.
type File struct {
	st   *safetensors.File
	name string
}

// OpenFile opens a safetensors file of Walrus's vectors; see Set.OpenFile.
func OpenFile(tb testing.TB, name string) *File { tb.Helper(); return Walrus.OpenFile(tb, name) }

// OpenFile opens a safetensors file of the set; it is closed when the test ends.
func (s Set) OpenFile(tb testing.TB, name string) *File {
	tb.Helper()
	st, err := safetensors.Open(s.Path(tb, name))
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	tb.Cleanup(func() { st.Close() })
	return &File{st, name}
}

// Safetensors returns the file itself.
func (f *File) Safetensors() *safetensors.File { return f.st }

// Names lists the tensors in file order.
func (f *File) Names() []string { return f.st.Names() }

// Has reports whether the file holds a tensor of that name.
func (f *File) Has(name string) bool {
	_, ok := f.st.Info(name)
	return ok
}

// Float32 returns a tensor's values, row major, and its shape. It refuses tensors of
// other types, so that an index is not compared as a number.
func (f *File) Float32(tb testing.TB, name string) ([]float32, []int) {
	tb.Helper()
	f.expect(tb, name, safetensors.F32)
	values, shape, err := f.st.Float32(name)
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	return values, shape
}

// Int32 returns the values of an int32 tensor and its shape.
func (f *File) Int32(tb testing.TB, name string) ([]int32, []int) {
	tb.Helper()
	f.expect(tb, name, safetensors.I32)
	values, shape, err := f.st.Int32s(name)
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	return values, shape
}

// Uint8 returns the values of a uint8 tensor (a mask) and its shape.
func (f *File) Uint8(tb testing.TB, name string) ([]uint8, []int) {
	tb.Helper()
	f.expect(tb, name, safetensors.U8)
	values, shape, err := f.st.Uint8s(name)
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	return values, shape
}

func (f *File) expect(tb testing.TB, name, dtype string) {
	tb.Helper()
	info, ok := f.st.Info(name)
	if !ok {
		tb.Fatalf("golden: %s: expected a tensor %q, got none of that name", f.name, name)
	}
	if info.DType != dtype {
		tb.Fatalf("golden: %s: tensor %q: expected %s, got %s", f.name, name, dtype, info.DType)
	}
}
