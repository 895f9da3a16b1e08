package ndarray

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRead compares blocks of arrays in any order of the axes, with gaps and with distances
// above and below the limit for single reads, with a loop over the elements.
func TestRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rank := rng.IntN(5)
		l := Layout{Type: Type{Kind: Int, Size: 4, Big: rng.IntN(2) == 0}, Shape: make([]int, rank), Strides: make([]int64, rank), Offset: rng.Int64N(50)}
		step := int64(4)
		for _, i := range rng.Perm(rank) {
			l.Shape[i] = 1 + rng.IntN(6)
			step += int64([]int{0, 0, 0, 5, 5000}[rng.IntN(5)])
			l.Strides[i] = step
			step *= int64(l.Shape[i])
		}
		if step > 1<<24 {
			continue
		}
		file := make([]byte, l.Offset+step+4)
		for i := range file {
			file[i] = byte(rng.Uint32())
		}
		offset, count, n := make([]int, rank), make([]int, rank), 1
		for i := range count {
			offset[i] = rng.IntN(l.Shape[i])
			count[i] = 1 + rng.IntN(l.Shape[i]-offset[i])
			n *= count[i]
		}
		got := make([]float64, n)
		require.NoError(t, Read(bytes.NewReader(file), l, got, offset, count, Type.Float64s))
		for k := range n {
			at := l.Offset
			for i, rest := rank-1, k; i >= 0; i-- {
				at += int64(offset[i]+rest%count[i]) * l.Strides[i]
				rest /= count[i]
			}
			var order binary.ByteOrder = binary.LittleEndian
			if l.Type.Big {
				order = binary.BigEndian
			}
			require.Equal(t, float64(int32(order.Uint32(file[at:]))), got[k], "%+v %v %v", l, offset, count)
		}
	}
}

// TestReadErrors: blocks outside the shape, room of another size and files that end early.
func TestReadErrors(t *testing.T) {
	typ := Type{Kind: Float, Size: 4}
	l := RowMajor(typ, []int{3, 4}, 0)
	file := bytes.NewReader(make([]byte, 47))
	for _, c := range []struct{ offset, count []int }{
		{[]int{0}, []int{3}}, {[]int{0, 0}, []int{3, 5}}, {[]int{1, 0}, []int{3, 4}}, {[]int{-1, 0}, []int{3, 4}}, {[]int{0, 0}, []int{-3, -4}}, {[]int{0, 0}, []int{3, 3}},
	} {
		assert.Error(t, Read(file, l, make([]float32, 12), c.offset, c.count, Type.Float32s), "%v", c)
	}
	err := Read(file, l, make([]float32, 12), []int{0, 0}, []int{3, 4}, Type.Float32s)
	assert.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	require.NoError(t, Read(file, l, make([]float32, 4), []int{1, 0}, []int{1, 4}, Type.Float32s))
	_, err = Bytes(typ, []int{math.MaxInt / 2, math.MaxInt / 2})
	assert.Error(t, err)
	_, err = Bytes(typ, []int{math.MaxInt / 2, 0})
	assert.Error(t, err)
	_, err = Bytes(typ, []int{2, -1})
	assert.Error(t, err)
	n, err := Bytes(typ, []int{0, 7})
	require.NoError(t, err)
	assert.Zero(t, n)
}

// TestParseType: both forms of names, and types that are no numbers.
func TestParseType(t *testing.T) {
	for text, want := range map[string]Type{
		"<f4": {Float, 4, false}, ">f8": {Float, 8, true}, "=i2": {Int, 2, false}, "|u1": {Unsigned, 1, false}, "|b1": {Bool, 1, false}, ">i1": {Int, 1, false},
		"float16": {Float, 2, false}, "int64 big-endian": {Int, 8, true}, "uint32": {Unsigned, 4, false}, "bool": {Bool, 1, false}, "float32 little-endian": {Float, 4, false},
	} {
		got, err := ParseType(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := ParseType(got.String())
		require.NoError(t, err, text)
		assert.Equal(t, got, again)
	}
	for _, text := range []string{"", "<c8", "<U4", "float8", "int128", "float32 middle-endian", "<f1", "b2", "|O", "uint"} {
		_, err := ParseType(text)
		assert.Error(t, err, text)
	}
}
