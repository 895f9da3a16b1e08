package safetensors

import (
	"fmt"
	"math"
	"math/bits"
)

// The dtypes that this package can convert. A file may hold others (see ByteSize);
// those can be listed and copied but not converted.
const (
	F64  = "F64"
	F32  = "F32"
	F16  = "F16"
	BF16 = "BF16"
	I64  = "I64"
	I32  = "I32"
	I16  = "I16"
	I8   = "I8"
	U64  = "U64"
	U32  = "U32"
	U16  = "U16"
	U8   = "U8"
	BOOL = "BOOL"
)

// byteSizes lists every dtype of the format whose elements fill whole bytes.
var byteSizes = map[string]int{
	F64: 8, F32: 4, F16: 2, BF16: 2,
	I64: 8, I32: 4, I16: 2, I8: 1,
	U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
	"C64": 8, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
}

// ByteSize returns the bytes of one element of dtype, and false if the dtype
// is unknown.
func ByteSize(dtype string) (int, bool) {
	n, ok := byteSizes[dtype]
	return n, ok
}

// Elements returns the product of shape (1 for a scalar). It fails on a
// negative length and on a product that does not fit an int.
func Elements(shape []int) (int, error) {
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v: expected lengths of at least 0, got %d", shape, d)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt {
			return 0, fmt.Errorf("shape %v: expected a product that fits an int, got an overflow", shape)
		}
		n = lo
	}
	return int(n), nil
}

// byteLength is Elements times ByteSize, checked.
func byteLength(dtype string, shape []int) (int64, error) {
	size, ok := ByteSize(dtype)
	if !ok {
		return 0, fmt.Errorf("expected a known dtype, got %q", dtype)
	}
	n, err := Elements(shape)
	if err != nil {
		return 0, err
	}
	hi, lo := bits.Mul64(uint64(n), uint64(size))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, fmt.Errorf("shape %v of %s: expected a size that fits 63 bits, got an overflow", shape, dtype)
	}
	return int64(lo), nil
}
