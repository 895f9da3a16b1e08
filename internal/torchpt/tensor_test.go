package torchpt

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTensorsThatDoNotFit(t *testing.T) {
	ints := func(n ...int64) []int64 { return n }
	const big = math.MaxInt64
	tests := []struct{ name, body, want string }{
		{"storage shorter than its length", tensor(5, 0, ints(1), ints(1)), `storage "0": expected 5 elements of F32, got an entry of 16 bytes`},
		{"storage missing", tensorOf(storageID("FloatStorage", "9", 1), number(0), ")", ")"), `entry "data/9"`},
		{"storage outside data/", tensorOf(storageID("FloatStorage", "../data.pkl", 1), number(0), ")", ")"), "got none"},
		{"negative length of a storage", tensor(-1, 0, ints(1), ints(1)), "expected -1 elements"},
		{"storage length overflows", tensor(big, 0, ints(1), ints(1)), "expected 9223372036854775807 elements"},
		{"tensor longer than its storage", tensor(4, 0, ints(5), ints(1)), "positions below the storage's length, got 4"},
		{"offset past the end", tensor(4, 4, ints(), ints()), "got 4"},
		{"stride past the end", tensor(4, 0, ints(2, 2), ints(3, 1)), "got 4"},
		{"negative offset", tensor(4, -1, ints(1), ints(1)), "offset of at least 0, got -1"},
		{"negative shape", tensor(4, 0, ints(-1), ints(1)), "shape: expected integers of at least 0, got int -1"},
		{"negative stride", tensor(4, 3, ints(4), ints(-1)), "strides: expected integers of at least 0, got int -1"},
		{"shape of strings", tensorOf(storageID("FloatStorage", "0", 4), number(0), tuple(text("2")), numbers(1)), "got str 2"},
		{"shape is a list", tensorOf(storageID("FloatStorage", "0", 4), number(0), "]", ")"), "expected a tuple, got list"},
		{"fewer strides than axes", tensor(4, 0, ints(2, 2), ints(1)), "as many strides as axes, got 1 and 2"},
		{"shape overflows", tensor(4, 0, ints(1<<32, 1<<32), ints(0, 0)), "overflow"},
		{"positions overflow", tensor(4, 0, ints(3), ints(big)), "got"},
		{"positions overflow 128 bits", tensor(4, 0, ints(1<<40, 2), ints(1<<40, 1)), "overflow"},
		{"expanded without bound", tensor(4, 0, ints(1<<40), ints(0)), "at most 16777216 elements from a storage that is repeated"},
		{"too many axes", tensor(4, 0, make([]int64, 65), make([]int64, 65)), "at most 64 axes, got 65"},
		{"offset is a string", tensorOf(storageID("FloatStorage", "0", 4), text("0"), ")", ")"), "storage and an offset"},
		{"no storage", tensorOf("N", number(0), ")", ")"), "got None and int"},
		{"too few arguments", class2("torch._utils", "_rebuild_tensor_v2") + ")R", "expected 6 or 7 arguments, got 0"},
		{"id is no tuple", "NQ", "persistent id of a storage, got None"},
		{"id of something else", numbers(1, 2, 3, 4, 5) + "Q", "got tuple"},
		{"id of another class", tuple(text("storage"), class2("torch", "Size"), text("0"), text("cpu"), number(1)) + "Q", "storage's class"},
		{"parameter of None", parameter("N"), "torch._utils._rebuild_parameter: expected a tensor, got None"},
		{"parameter without arguments", class2("torch._utils", "_rebuild_parameter") + ")R", "expected 3 arguments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(checkpoint(t, pickle(tt.body), counting(4)))
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "test.pt: pickle byte")
		})
	}
}

func TestDTypes(t *testing.T) {
	bytes := []byte{1, 0, 0, 0, 0, 0, 0, 0}
	for _, tt := range []struct {
		class, dtype string
		elements     int64
		want         float32 // of the first element
	}{
		{"DoubleStorage", "F64", 1, 0}, {"FloatStorage", "F32", 2, math.SmallestNonzeroFloat32},
		{"HalfStorage", "F16", 4, 0x1p-24}, {"BFloat16Storage", "BF16", 4, math.Float32frombits(1 << 16)},
		{"LongStorage", "I64", 1, 1}, {"IntStorage", "I32", 2, 1}, {"ShortStorage", "I16", 4, 1},
		{"CharStorage", "I8", 8, 1}, {"ByteStorage", "U8", 8, 1}, {"BoolStorage", "BOOL", 8, 1},
	} {
		t.Run(tt.dtype, func(t *testing.T) {
			body := tensorOf(storageID(tt.class, "0", tt.elements), number(0), numbers(tt.elements), numbers(1))
			f, err := open(checkpoint(t, pickle(body), bytes))
			require.NoError(t, err)
			got := f.Root().(*Tensor)
			assert.Equal(t, tt.dtype, got.DType)
			values, err := got.Float32()
			require.NoError(t, err)
			assert.Equal(t, tt.want, values[0])
			assert.Len(t, values, int(tt.elements))
			whole, err := got.Int64s()
			if tt.want == 1 {
				require.NoError(t, err)
				assert.Equal(t, int64(1), whole[0])
			} else {
				assert.ErrorContains(t, err, "got "+tt.dtype)
			}
		})
	}
}

// TestOverlap: a view that visits a storage back and forth is read once, not once per
// element.
func TestOverlap(t *testing.T) {
	const axes = 18
	shape, strides, n := slices.Repeat([]int64{2}, axes), make([]int64, axes), int64(1)
	for i := range strides {
		strides[i] = window - 1 - int64(i)
		n += strides[i]
	}
	raw := checkpoint(t, pickle(tensor(n, 0, shape, strides)), counting(int(n)))
	r := &countingReader{r: bytes.NewReader(raw)}
	f, err := NewFile(r, int64(len(raw)), "test.pt", Options{})
	require.NoError(t, err)
	r.bytes = 0
	got, err := f.Root().(*Tensor).Float32()
	require.NoError(t, err)
	assert.Equal(t, naive(0, shape, strides), got)
	assert.LessOrEqual(t, r.bytes, 5*int(n), "bytes that were read")

	// Interleaved rows of a large storage.
	f, err = open(checkpoint(t, pickle(tensor(1<<21, 0, []int64{2, 2, 3}, []int64{1 << 20, 3, 2})), make([]byte, 4<<21)))
	require.NoError(t, err)
	_, err = f.Root().(*Tensor).Float32()
	assert.ErrorContains(t, err, "expected elements in an order that can be read front to back")
}

// TestExpanded: tensors that repeat few elements are bounded together.
func TestExpanded(t *testing.T) {
	large := tensor(8, 0, []int64{maxExpanded}, []int64{0})
	_, err := open(checkpoint(t, pickle(large), counting(8)))
	require.NoError(t, err)
	_, err = open(checkpoint(t, pickle(tuple(large, tensor(8, 0, []int64{9}, []int64{0}))), counting(8)))
	assert.ErrorContains(t, err, "expected at most 16777216 elements of tensors that repeat their storages, got more")
}

// countingReader counts the bytes that are read.
type countingReader struct {
	r     io.ReaderAt
	bytes int
}

func (c *countingReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.r.ReadAt(p, at)
	c.bytes += n
	return n, err
}

// naive reads a view of 0, 1, 2, … by the definition of strides.
func naive(offset int64, shape, strides []int64) []float32 {
	out := []float32{float32(offset)}
	for axis := len(shape) - 1; axis >= 0; axis-- {
		var all []float32
		for i := range shape[axis] {
			for _, v := range out {
				all = append(all, v+float32(i*strides[axis]))
			}
		}
		out = all
	}
	return out
}

func TestViews(t *testing.T) {
	const n = 40000 // several windows
	storage := counting(n)
	type view struct {
		name           string
		offset         int64
		shape, strides []int64
	}
	tests := []view{
		{"scalar", 7, nil, nil},
		{"empty", n, []int64{0, 3}, []int64{3, 1}},
		{"whole", 0, []int64{n}, []int64{1}},
		{"contiguous with a free axis", 5, []int64{10, 1, 20}, []int64{20, 999, 1}},
		{"transposed", 0, []int64{200, 200}, []int64{1, 200}},
		{"channels last", 3, []int64{2, 5, 6, 7}, []int64{210, 1, 35, 5}},
		{"every 1000th", 0, []int64{40}, []int64{1000}},
		{"rows of a slice", 17, []int64{100, 3}, []int64{400, 1}},
		{"expanded inside", 2, []int64{3, 4, 5}, []int64{5, 0, 1}},
		{"expanded outside", 2, []int64{4, 9000}, []int64{0, 1}},
		{"overlapping", 0, []int64{50, 50}, []int64{1, 1}},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		v := view{name: fmt.Sprintf("drawn %d", i), offset: rng.Int64N(100)}
		for range 1 + rng.IntN(4) {
			v.shape = append(v.shape, 1+rng.Int64N(6))
			v.strides = append(v.strides, rng.Int64N(1500))
		}
		tests = append(tests, v)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := open(checkpoint(t, pickle(tensor(n, tt.offset, tt.shape, tt.strides)), storage))
			require.NoError(t, err)
			got, err := f.Root().(*Tensor).Float32()
			require.NoError(t, err)
			want := naive(tt.offset, tt.shape, tt.strides)
			require.Equal(t, len(want), len(got))
			for i := range want {
				require.Equal(t, want[i], got[i], "element %d", i)
			}
		})
	}
}

// TestReadingAllocatesTheTensorOnly reads parts of one 16 MB storage.
func TestReadingAllocatesTheTensorOnly(t *testing.T) {
	const n, change = 4 << 20, 256 << 10
	tests := []struct {
		name           string
		shape, strides []int64
	}{
		{"whole", []int64{n}, []int64{1}},
		{"transposed", []int64{2048, 2048}, []int64{1, 2048}},
		{"few of many", []int64{4}, []int64{1 << 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := checkpoint(t, pickle(tensor(n, 0, tt.shape, tt.strides)), counting(n))
			var f *File
			var err error
			opening := allocated(func() { f, err = open(file) })
			require.NoError(t, err)
			assert.Less(t, opening, uint64(change), "opening")
			x := f.Root().(*Tensor)
			reading := allocated(func() { _, err = x.Float32() })
			require.NoError(t, err)
			assert.Less(t, reading, uint64(4*x.Elements()+change), "reading")
		})
	}
}

// allocated returns the bytes that do allocates, garbage included.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestWrongDestination(t *testing.T) {
	f, err := open(checkpoint(t, pickle(tensor(4, 0, []int64{2, 2}, []int64{2, 1})), counting(4)))
	require.NoError(t, err)
	x := f.Root().(*Tensor)
	assert.Equal(t, 4, x.Elements())
	assert.ErrorContains(t, x.ReadFloat32(make([]float32, 3)), "test.pt: tensor \"\": expected a destination of 4 values for shape [2 2], got 3")
}
