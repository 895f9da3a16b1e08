package safetensors

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// chunk is the number of bytes that are read and converted at a time; a multiple of
// every element size.
const chunk = 1 << 16

// ReadFloat32 reads a whole tensor into dst, whose length must be the tensor's number
// of elements, row major. Values are converted as by DecodeFloat32. In addition to dst
// it needs one 64 kB buffer.
func (f *File) ReadFloat32(name string, dst []float32) error {
	info, err := f.lookup(name)
	if err != nil {
		return err
	}
	n, _ := Elements(info.Shape) // checked when the file was opened
	if len(dst) != n {
		return f.fail(name, fmt.Errorf("expected a destination of %d values for shape %v, got %d", n, info.Shape, len(dst)))
	}
	return f.ReadFloat32At(name, 0, dst)
}

// ReadFloat32At reads len(dst) values starting at element first of the
// row-major tensor: a shard, or a few rows, without the rest.
func (f *File) ReadFloat32At(name string, first int, dst []float32) error {
	return f.stream(name, first, len(dst), func(dtype string, at, n int, raw []byte) error {
		return DecodeFloat32(dtype, dst[at:at+n], raw)
	})
}

// Float32 returns a tensor's values, row major, and its shape.
func (f *File) Float32(name string) ([]float32, []int, error) {
	info, err := f.lookup(name)
	if err != nil {
		return nil, nil, err
	}
	n, _ := Elements(info.Shape)
	dst := make([]float32, n)
	if err := f.ReadFloat32(name, dst); err != nil {
		return nil, nil, err
	}
	return dst, slices.Clone(info.Shape), nil
}

// Int64s returns the values of an integer or bool tensor and its shape.
func (f *File) Int64s(name string) ([]int64, []int, error) {
	return readIntegers[int64](f, name, math.MinInt64, math.MaxInt64)
}

// Int32s returns the values of an integer or bool tensor and its shape. It
// fails on a value that does not fit.
func (f *File) Int32s(name string) ([]int32, []int, error) {
	return readIntegers[int32](f, name, math.MinInt32, math.MaxInt32)
}

// Uint8s returns the values of an integer or bool tensor and its shape. It
// fails on a value that does not fit.
func (f *File) Uint8s(name string) ([]uint8, []int, error) {
	return readIntegers[uint8](f, name, 0, math.MaxUint8)
}

func readIntegers[T int64 | int32 | uint8](f *File, name string, low, high int64) ([]T, []int, error) {
	info, err := f.lookup(name)
	if err != nil {
		return nil, nil, err
	}
	count, _ := Elements(info.Shape)
	dst := make([]T, count)
	err = f.stream(name, 0, count, func(dtype string, at, n int, raw []byte) error {
		return decodeInto(dtype, raw, n, func(i int, v int64) error {
			if v < low || v > high {
				return fmt.Errorf("expected a value from %d to %d, got %d", low, high, v)
			}
			dst[at+i] = T(v)
			return nil
		})
	})
	if err != nil {
		return nil, nil, err
	}
	return dst, slices.Clone(info.Shape), nil
}

// Raw returns a reader of the tensor's bytes in the file.
func (f *File) Raw(name string) (*io.SectionReader, error) {
	info, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(f.r, f.data+info.Begin, info.End-info.Begin), nil
}

// stream reads count elements starting at element first, a chunk at a time, and calls
// visit with each chunk and the position of its first element.
func (f *File) stream(name string, first, count int, visit func(dtype string, at, n int, raw []byte) error) error {
	info, err := f.lookup(name)
	if err != nil {
		return err
	}
	total, _ := Elements(info.Shape)
	if first < 0 || first > total || count > total-first {
		return f.fail(name, fmt.Errorf("expected a range within %d elements, got %d from element %d", total, count, first))
	}
	size := byteSizes[info.DType]
	buf := make([]byte, min(chunk, count*size))
	for at := 0; at < count; {
		n := min(len(buf)/size, count-at)
		raw := buf[:n*size]
		offset := f.data + info.Begin + int64(first+at)*int64(size)
		// A short read is an error even if the reader returns io.EOF.
		if got, err := f.r.ReadAt(raw, offset); got < len(raw) {
			return f.fail(name, fmt.Errorf("expected %d bytes at %d, got %d: %w", len(raw), offset, got, err))
		}
		if err := visit(info.DType, at, n, raw); err != nil {
			return f.fail(name, err)
		}
		at += n
	}
	return nil
}
