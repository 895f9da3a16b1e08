package torchpt

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
)

// window is the number of elements that are read and converted at a time.
const window = 1 << 13

// axis is one loop of a strided copy: n steps of the given lengths.
type axis struct{ n, src, dst int }

// loops converts a shape to the fewest loops: it drops axes of length 1 and merges
// neighbours that one step length covers in both source and destination. A contiguous
// tensor gives a single loop with steps 1 and 1.
func loops(shape, strides []int) []axis {
	var out []axis // innermost first
	dst := 1
	for i := len(shape) - 1; i >= 0; i-- {
		a := axis{shape[i], strides[i], dst}
		dst *= shape[i]
		if a.n == 1 {
			continue
		}
		if k := len(out) - 1; k >= 0 && a.src == out[k].src*out[k].n && a.dst == out[k].dst*out[k].n {
			out[k].n *= a.n
			continue
		}
		out = append(out, a)
	}
	return out
}

// gather copies a tensor from its storage. It visits elements in the storage's order,
// so that a view of any kind is read front to back through one window, and memory does
// not grow with the storage.
func gather[T any](t *Tensor, dst []T, decode decoder[T]) error {
	axes := loops(t.Shape, t.strides)
	w := &reader[T]{storage: t.storage, decode: decode, end: t.offset + 1}
	for _, a := range axes {
		w.end += int64(a.n-1) * int64(a.src)
	}
	span := int(min(window, w.end-t.offset))
	w.raw = make([]byte, span*t.storage.size)
	if len(axes) == 0 || len(axes) == 1 && axes[0].src == 1 && axes[0].dst == 1 {
		if err := w.straight(t.offset, dst); err != nil {
			return err
		}
		return w.checkCRC()
	}
	slices.SortStableFunc(axes, func(a, b axis) int { return cmp.Compare(b.src, a.src) })
	if !nested(axes) {
		// The walk jumps back and forth, so the window is the whole part of the storage that
		// it visits. That part is smaller than a tensor whose elements overlap.
		if n := w.end - t.offset; n > max(int64(len(dst)), maxInterleaved) {
			return fmt.Errorf("expected elements in an order that can be read front to back, or within %d elements of the storage, got shape %v with strides %v; save a copy (contiguous) of the tensor", maxInterleaved, t.Shape, t.strides)
		}
		span = int(w.end - t.offset)
	}
	w.values = make([]T, span)
	if err := w.walk(axes, t.offset, 0, dst); err != nil {
		return err
	}
	return w.checkCRC()
}

// nested reports whether every step of a loop skips all elements of the loops in it, so
// that a walk never goes back. Loops are sorted by step, the longest first. Steps of 0 repeat
// an element.
func nested(axes []axis) bool {
	inner := 0 // distance of the last element of the inner loops
	for _, a := range slices.Backward(axes) {
		if a.src != 0 && a.src <= inner {
			return false
		}
		inner += (a.n - 1) * a.src
	}
	return true
}

// reader reads elements of a storage through a window.
type reader[T any] struct {
	storage *storage
	decode  decoder[T]
	raw     []byte
	values  []T   // the window, converted
	start   int64 // number of its first element
	filled  int64 // number of its elements
	end     int64 // end of the tensor's last element
	// crc is the CRC-32 of the storage's elements before next, while they were read in
	// order; next is -1 after others were read.
	crc  uint32
	next int64
}

// checkCRC compares the CRC-32 of the storage's entry, if all of it was read.
func (w *reader[T]) checkCRC() error {
	s := w.storage
	if s.file.skipCRC || w.next < 0 || uint64(w.next)*uint64(s.size) != s.entry.UncompressedSize64 {
		return nil
	}
	return checkCRC(s.entry, w.crc)
}

// straight reads consecutive elements from position at.
func (w *reader[T]) straight(at int64, dst []T) error {
	for len(dst) > 0 {
		n := min(len(w.raw)/w.storage.size, len(dst))
		raw := w.raw[:n*w.storage.size]
		if err := w.storage.readAt(raw, at); err != nil {
			return err
		}
		if at == w.next && !w.storage.file.skipCRC {
			w.crc, w.next = crc32.Update(w.crc, crc32.IEEETable, raw), at+int64(n)
		} else {
			w.next = -1
		}
		if err := w.decode(w.storage.dtype, dst[:n], raw); err != nil {
			return err
		}
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}

// walk copies the elements of the given loops, outermost first.
func (w *reader[T]) walk(axes []axis, src int64, to int, dst []T) error {
	a := axes[0]
	for range a.n {
		if len(axes) > 1 {
			if err := w.walk(axes[1:], src, to, dst); err != nil {
				return err
			}
		} else {
			if src < w.start || src >= w.start+w.filled {
				if err := w.fill(src); err != nil {
					return err
				}
			}
			dst[to] = w.values[src-w.start]
		}
		src += int64(a.src)
		to += a.dst
	}
	return nil
}

// fill moves the window so that it starts at position at.
func (w *reader[T]) fill(at int64) error {
	n := min(int64(len(w.values)), w.end-at)
	w.start, w.filled = at, 0
	if err := w.straight(at, w.values[:n]); err != nil {
		return err
	}
	w.filled = n
	return nil
}
