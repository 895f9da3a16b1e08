package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

var little = binary.LittleEndian

// DecodeFloat32 converts little-endian values of the given dtype to float32.
// src must hold exactly len(dst) elements. F64 is rounded to nearest, and
// integers beyond 2^24 lose low bits; BOOL gives 0 or 1.
func DecodeFloat32(dtype string, dst []float32, src []byte) error {
	if err := checkDecode(dtype, len(dst), len(src)); err != nil {
		return err
	}
	switch dtype {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(little.Uint32(src[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(little.Uint64(src[8*i:])))
		}
	case F16:
		for i := range dst {
			dst[i] = float16To32(little.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = bfloat16To32(little.Uint16(src[2*i:]))
		}
	default:
		return decodeIntegers(dtype, dst, src)
	}
	return nil
}

// integers holds, for each dtype, a function that reads one element as int64. It
// returns an error for U64 values of 2^63 and above.
var integers = map[string]func([]byte) (int64, error){
	I64: func(b []byte) (int64, error) { return int64(little.Uint64(b)), nil },
	I32: func(b []byte) (int64, error) { return int64(int32(little.Uint32(b))), nil },
	I16: func(b []byte) (int64, error) { return int64(int16(little.Uint16(b))), nil },
	I8:  func(b []byte) (int64, error) { return int64(int8(b[0])), nil },
	U64: func(b []byte) (int64, error) {
		v := little.Uint64(b)
		if v > math.MaxInt64 {
			return 0, fmt.Errorf("expected a value below 2^63, got %d", v)
		}
		return int64(v), nil
	},
	U32: func(b []byte) (int64, error) { return int64(little.Uint32(b)), nil },
	U16: func(b []byte) (int64, error) { return int64(little.Uint16(b)), nil },
	U8:  func(b []byte) (int64, error) { return int64(b[0]), nil },
	BOOL: func(b []byte) (int64, error) {
		if b[0] > 1 {
			return 0, fmt.Errorf("expected a bool of 0 or 1, got %d", b[0])
		}
		return int64(b[0]), nil
	},
}

// DecodeInt64 converts little-endian integers or bools of the given dtype.
// src must hold exactly len(dst) elements; float dtypes are refused.
func DecodeInt64(dtype string, dst []int64, src []byte) error {
	return decodeInto(dtype, src, len(dst), func(i int, v int64) error {
		dst[i] = v
		return nil
	})
}

func decodeIntegers(dtype string, dst []float32, src []byte) error {
	return decodeInto(dtype, src, len(dst), func(i int, v int64) error {
		dst[i] = float32(v)
		return nil
	})
}

// decodeInto calls set for each of n integers of src.
func decodeInto(dtype string, src []byte, n int, set func(i int, v int64) error) error {
	if err := checkDecode(dtype, n, len(src)); err != nil {
		return err
	}
	read, ok := integers[dtype]
	if !ok {
		return fmt.Errorf("expected a dtype that converts to this slice, got %s", dtype)
	}
	size := byteSizes[dtype]
	for i := range n {
		v, err := read(src[i*size:])
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		if err := set(i, v); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func checkDecode(dtype string, n, bytes int) error {
	size, ok := ByteSize(dtype)
	if !ok {
		return fmt.Errorf("expected a known dtype, got %q", dtype)
	}
	if bytes%size != 0 || bytes/size != n {
		return fmt.Errorf("expected %d elements of %s, got %d bytes", n, dtype, bytes)
	}
	return nil
}
