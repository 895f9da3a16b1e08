package ndarray

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
)

// Layout describes an array in a file. The element at an index lies at Offset plus the sum
// of index · Strides, in bytes.
type Layout struct {
	Type    Type
	Shape   []int
	Strides []int64
	Offset  int64
}

// RowMajor returns the layout of an array in row-major order.
func RowMajor(t Type, shape []int, offset int64) Layout {
	l := Layout{Type: t, Shape: shape, Strides: make([]int64, len(shape)), Offset: offset}
	step := int64(t.Size)
	for i := len(shape) - 1; i >= 0; i-- {
		l.Strides[i] = step
		step *= int64(shape[i])
	}
	return l
}

// ColumnMajor returns the layout of an array in column-major order, as Fortran stores it.
func ColumnMajor(t Type, shape []int, offset int64) Layout {
	l := Layout{Type: t, Shape: shape, Strides: make([]int64, len(shape)), Offset: offset}
	step := int64(t.Size)
	for i := range shape {
		l.Strides[i] = step
		step *= int64(shape[i])
	}
	return l
}

// Bytes returns the number of bytes of the elements of an array. A negative length and an
// array of more than 2^60 bytes are errors.
func Bytes(t Type, shape []int) (int64, error) {
	n := float64(t.Size)
	for _, s := range shape {
		if s < 0 {
			return 0, fmt.Errorf("expected a shape of lengths of 0 or more, got %v", shape)
		}
		n *= max(float64(s), 1)
		if n > 1<<60 {
			return 0, fmt.Errorf("expected an array of at most 2^60 bytes, got shape %v", shape)
		}
	}
	bytes := int64(t.Size)
	for _, s := range shape {
		bytes *= int64(s)
	}
	return bytes, nil
}

// CheckBlock returns an error unless the block lies within the shape and has room elements.
func CheckBlock(shape, offset, count []int, room int) error {
	if len(offset) != len(shape) || len(count) != len(shape) {
		return fmt.Errorf("expected an offset and a count for each axis of shape %v, got %v and %v", shape, offset, count)
	}
	n := 1
	for i, c := range count {
		if offset[i] < 0 || c < 0 || c > shape[i] || offset[i] > shape[i]-c {
			return fmt.Errorf("expected a block within shape %v, got %v elements at %v", shape, count, offset)
		}
		if c > 0 && n > math.MaxInt/c {
			return fmt.Errorf("expected a block of fewer than 2^63 elements, got %v", count)
		}
		n *= c
	}
	if n != room {
		return fmt.Errorf("expected room for %d elements, got %d", n, room)
	}
	return nil
}

// Read reads the block of count elements per axis at offset into dst, in row-major order.
// It needs memory for 256 KiB of elements in addition.
func Read[T float32 | float64](r io.ReaderAt, l Layout, dst []T, offset, count []int, decode Decoder[T]) error {
	if err := CheckBlock(l.Shape, offset, count, len(dst)); err != nil {
		return err
	}
	to := make([]int, len(count))
	step := 1
	for i := len(count) - 1; i >= 0; i-- {
		to[i] = step
		step *= count[i]
	}
	return Copy(r, l, dst, 0, to, offset, count, decode)
}

// axis is an axis of a block: the number of elements and their distances in the file, in
// bytes, and in the destination, in elements.
type axis struct {
	n    int
	from int64
	to   int
}

// Copy is Read into a part of dst: the element at an index of the block is stored at start
// plus the sum of index · strides. The caller has checked that block and part fit.
func Copy[T float32 | float64](r io.ReaderAt, l Layout, dst []T, start int, strides, offset, count []int, decode Decoder[T]) error {
	at := l.Offset
	var axes []axis
	for i, n := range count {
		if n == 0 {
			return nil
		}
		at += int64(offset[i]) * l.Strides[i]
		if n > 1 {
			axes = append(axes, axis{n, l.Strides[i], strides[i]})
		}
	}
	c := copier[T]{r: r, t: l.Type, dst: dst, decode: decode, buffers: pool.Get().(*buffers)}
	defer pool.Put(c.buffers)
	return c.walk(merge(axes), at, start)
}

// merge sorts the axes by their distance in the file and joins neighbours whose elements
// are contiguous in the file and in the destination.
func merge(axes []axis) []axis {
	slices.SortStableFunc(axes, func(a, b axis) int {
		switch {
		case a.from > b.from:
			return -1
		case a.from < b.from:
			return 1
		}
		return 0
	})
	var out []axis
	for _, a := range axes {
		if n := len(out); n > 0 && out[n-1].from == int64(a.n)*a.from && out[n-1].to == a.n*a.to {
			out[n-1] = axis{out[n-1].n * a.n, a.from, a.to}
			continue
		}
		out = append(out, a)
	}
	return out
}

const (
	// piece is the number of bytes that are read at once.
	piece = 1 << 18
	// sparse is the distance in bytes from which on elements are read one by one.
	sparse = 1 << 12
)

type buffers struct{ raw, packed []byte }

var pool = sync.Pool{New: func() any { return &buffers{raw: make([]byte, piece), packed: make([]byte, piece)} }}

type copier[T float32 | float64] struct {
	r      io.ReaderAt
	t      Type
	dst    []T
	decode Decoder[T]
	*buffers
}

// walk copies the elements of the axes. The last axis is copied as one run.
func (c *copier[T]) walk(axes []axis, at int64, to int) error {
	switch len(axes) {
	case 0:
		return c.run(axis{1, int64(c.t.Size), 1}, at, to)
	case 1:
		return c.run(axes[0], at, to)
	}
	for range axes[0].n {
		if err := c.walk(axes[1:], at, to); err != nil {
			return err
		}
		at, to = at+axes[0].from, to+axes[0].to
	}
	return nil
}

// run copies the elements of one axis, piece by piece.
func (c *copier[T]) run(a axis, at int64, to int) error {
	size := int64(c.t.Size)
	most := (piece-size)/max(a.from, size) + 1 // elements of a piece
	if a.from > sparse {
		most = 1
	}
	for left := a.n; left > 0; {
		n := int(min(int64(left), most))
		raw := c.raw[:int64(n-1)*a.from+size]
		if got, err := c.r.ReadAt(raw, at); got < len(raw) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("%d bytes at %d: %w", len(raw), at, err)
		}
		c.put(c.pack(raw, n, int(a.from)), n, a.to, to)
		at, to, left = at+int64(n)*a.from, to+n*a.to, left-n
	}
	return nil
}

// pack returns n elements at a distance of step bytes without the bytes between them.
func (c *copier[T]) pack(raw []byte, n, step int) []byte {
	size := c.t.Size
	if n == 1 || step == size {
		return raw
	}
	for i := range n {
		copy(c.packed[i*size:(i+1)*size], raw[i*step:])
	}
	return c.packed[:n*size]
}

// put decodes n elements to dst[to], dst[to+step], ….
func (c *copier[T]) put(raw []byte, n, step, to int) {
	if step == 1 || n == 1 {
		c.decode(c.t, c.dst[to:to+n], raw)
		return
	}
	values := make([]T, n)
	c.decode(c.t, values, raw)
	for i, v := range values {
		c.dst[to+i*step] = v
	}
}
