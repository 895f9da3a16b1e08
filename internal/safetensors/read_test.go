package safetensors

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is a file with one tensor "a" of n elements.
func vector(dtype string, n int, data ...byte) []byte {
	return raw(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[%d],"data_offsets":[0,%d]}}`, dtype, n, len(data)), data...)
}

func TestFloat32Converts(t *testing.T) {
	tests := []struct {
		dtype string
		data  []byte
		want  []float32
	}{
		{F32, []byte{0, 0, 0xC0, 0x3F}, []float32{1.5}},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0xF8, 0xBF}, []float32{-1.5}},
		{F16, []byte{0x00, 0x3E, 0x01, 0x00, 0xFF, 0x7B, 0x00, 0xFC}, []float32{1.5, 0x1p-24, 65504, float32(math.Inf(-1))}},
		{BF16, []byte{0xC0, 0x3F, 0x80, 0x7F}, []float32{1.5, float32(math.Inf(1))}},
		{I64, []byte{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, []float32{-2}},
		{I32, []byte{0xFD, 0xFF, 0xFF, 0xFF}, []float32{-3}},
		{I16, []byte{0xFC, 0xFF}, []float32{-4}},
		{I8, []byte{0xFB}, []float32{-5}},
		{U64, []byte{7, 0, 0, 0, 0, 0, 0, 0}, []float32{7}},
		{U32, []byte{0, 0, 0, 0x80}, []float32{1 << 31}},
		{U16, []byte{0, 0x80}, []float32{1 << 15}},
		{U8, []byte{200}, []float32{200}},
		{BOOL, []byte{0, 1}, []float32{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.dtype, func(t *testing.T) {
			f, err := open(vector(tt.dtype, len(tt.want), tt.data...))
			require.NoError(t, err)
			got, shape, err := f.Float32("a")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, []int{len(tt.want)}, shape)
		})
	}
}

func TestIntegers(t *testing.T) {
	f, err := open(vector(I64, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF))
	require.NoError(t, err)
	wide, _, err := f.Int64s("a")
	require.NoError(t, err)
	assert.Equal(t, []int64{513, -1}, wide)
	narrow, shape, err := f.Int32s("a")
	require.NoError(t, err)
	assert.Equal(t, []int32{513, -1}, narrow)
	assert.Equal(t, []int{2}, shape)
	_, _, err = f.Uint8s("a")
	assert.ErrorContains(t, err, `tensor "a": element 0: expected a value from 0 to 255, got 513`)
}

func TestReadErrorsNameFileAndTensor(t *testing.T) {
	floats, err := open(vector(F32, 2, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40))
	require.NoError(t, err)
	odd, err := open(vector("C64", 1, make([]byte, 8)...))
	require.NoError(t, err)
	bools, err := open(vector(BOOL, 1, 2))
	require.NoError(t, err)
	ints := func(f *File) error { _, _, err := f.Int32s("a"); return err }
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"wrong length", floats.ReadFloat32("a", make([]float32, 3)), "expected a destination of 2 values for shape [2], got 3"},
		{"unknown name", floats.ReadFloat32("a ", nil), `tensor "a ": expected one of the file's 1 tensors`},
		{"range past the end", floats.ReadFloat32At("a", 1, make([]float32, 2)), "got 2 from element 1"},
		{"negative start", floats.ReadFloat32At("a", -1, make([]float32, 1)), "from element -1"},
		{"float as integer", ints(floats), "got F32"},
		{"no conversion", odd.ReadFloat32("a", make([]float32, 1)), "got C64"},
		{"bool of two", ints(bools), "expected a bool of 0 or 1, got 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Error(t, tt.err)
			assert.ErrorContains(t, tt.err, tt.want)
			assert.ErrorContains(t, tt.err, "test.safetensors: tensor")
		})
	}
}

func TestReadFloat32AtCrossesChunks(t *testing.T) {
	const n = chunk/4*2 + 5
	data := make([]byte, 4*n)
	for i := range n {
		little.PutUint32(data[4*i:], math.Float32bits(float32(i)))
	}
	f, err := open(vector(F32, n, data...))
	require.NoError(t, err)
	for _, r := range [][2]int{{0, n}, {1, n - 1}, {chunk/4 - 1, 3}, {n, 0}, {n - 1, 1}} {
		got := make([]float32, r[1])
		require.NoError(t, f.ReadFloat32At("a", r[0], got))
		for i, v := range got {
			require.Equal(t, float32(r[0]+i), v, "range %v, element %d", r, i)
		}
	}
}

// cut is a reader whose file shrank after its header was read.
type cut struct{ size int64 }

var errCut = errors.New("medium gone")

func (c cut) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > c.size {
		return 0, errCut
	}
	b := vector(F32, 1, 0, 0, 0, 0)
	return copy(p, b[off:]), nil
}

func TestReadReportsFailingReader(t *testing.T) {
	whole := int64(len(vector(F32, 1, 0, 0, 0, 0)))
	f, err := NewFile(cut{whole - 1}, whole, "test.safetensors")
	require.NoError(t, err)
	assert.ErrorIs(t, f.ReadFloat32("a", make([]float32, 1)), errCut)
}

func TestReadAllocatesLittle(t *testing.T) {
	data := make([]byte, 4<<20)
	f, err := open(vector(F32, 1<<20, data...))
	require.NoError(t, err)
	dst := make([]float32, 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = f.ReadFloat32("a", dst)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*chunk), "reading 4 MiB into a given slice")
}

func TestRaw(t *testing.T) {
	f, err := open(vector(U8, 3, 5, 6, 7))
	require.NoError(t, err)
	r, err := f.Raw("a")
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, []byte{5, 6, 7}, got)
	_, err = f.Raw("b")
	assert.Error(t, err)
}
