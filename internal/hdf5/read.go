package hdf5

import (
	"fmt"
	"slices"
)

// convert turns raw elements of a type into numbers of Go.
type convert[T any] func(t datatype, dst []T, raw []byte)

// piece is how many bytes of contiguous elements are read at once.
const piece = 1 << 18

// read reads the block of count elements per axis at offset into dst.
func read[T any](d *Dataset, dst []T, offset, count []int, conv convert[T]) error {
	if err := d.typ.number(); err != nil {
		return err
	}
	dims := d.space.dims
	if len(offset) != len(dims) || len(count) != len(dims) {
		return fmt.Errorf("expected an offset and a count for each axis of shape %v, got %v and %v", dims, offset, count)
	}
	n := 1
	for i, c := range count {
		if offset[i] < 0 || c < 0 || c > dims[i] || offset[i] > dims[i]-c {
			return fmt.Errorf("expected a block within shape %v, got %v elements at %v", dims, count, offset)
		}
		n *= c
	}
	if d.space.null {
		n = 0
	}
	if len(dst) != n {
		return fmt.Errorf("expected room for %d elements, got %d", n, len(dst))
	}
	if n == 0 {
		return nil
	}
	if d.layout.kind == chunkedLayout {
		return readChunks(d, dst, offset, count, conv)
	}
	return readPlain(d, dst, offset, count, conv)
}

// readPlain reads from a compact or contiguous dataset.
func readPlain[T any](d *Dataset, dst []T, offset, count []int, conv convert[T]) error {
	l := d.layout
	b := pool.Get().(*buffers)
	defer pool.Put(b)
	return box{d.space.dims, offset, count, make([]int, len(count)), count}.runs(func(from, to, n int) error {
		for n > 0 {
			k := min(n, max(piece/d.typ.size, 1))
			var raw []byte
			switch {
			case l.kind == compactLayout:
				raw = l.data[from*d.typ.size:]
			case l.address == undefined:
				raw = b.repeat(d.fill, k)
			default:
				b.in = sized(b.in, k*d.typ.size)
				if err := d.f.readInto(b.in, l.address+uint64(from)*uint64(d.typ.size)); err != nil {
					return err
				}
				raw = b.in
			}
			conv(d.typ, dst[to:to+k], raw)
			from, to, n = from+k, to+k, n-k
		}
		return nil
	})
}

// repeat returns n copies of an element.
func (b *buffers) repeat(element []byte, n int) []byte {
	b.in = sized(b.in, n*len(element))
	for i := range n {
		copy(b.in[i*len(element):], element)
	}
	return b.in
}

// readChunks reads every chunk that a block touches.
func readChunks[T any](d *Dataset, dst []T, offset, count []int, conv convert[T]) error {
	if err := checkFilters(d.filters); err != nil {
		return err
	}
	index, err := d.chunks()
	if err != nil {
		return err
	}
	b := pool.Get().(*buffers)
	defer pool.Put(b)
	rank, shape, counts := len(count), d.layout.chunk, d.chunkCounts()
	at, low, high := make([]int, rank), make([]int, rank), make([]int, rank)
	for i := range at {
		low[i], high[i] = offset[i]/shape[i], (offset[i]+count[i]-1)/shape[i]
	}
	copy(at, low)
	from, to, n := make([]int, rank), make([]int, rank), make([]int, rank)
	for {
		number := 0
		for i, a := range at {
			number = number*counts[i] + a
			begin := max(offset[i], a*shape[i])
			n[i] = min(offset[i]+count[i], (a+1)*shape[i]) - begin
			from[i], to[i] = begin-a*shape[i], begin-offset[i]
		}
		raw, err := d.chunk(index, number, at, b)
		if err != nil {
			return fmt.Errorf("chunk %v: %w", at, err)
		}
		copyRun := func(from, to, n int) error {
			if raw == nil {
				conv(d.typ, dst[to:to+n], b.repeat(d.fill, n))
			} else {
				conv(d.typ, dst[to:to+n], raw[from*d.typ.size:])
			}
			return nil
		}
		if err := (box{shape, from, n, to, count}).runs(copyRun); err != nil {
			return err
		}
		if !advance(at, low, high) {
			return nil
		}
	}
}

// advance steps at through the box from low to high, both included, the last
// axis fastest; false means that it is through.
func advance(at, low, high []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] <= high[i] {
			return true
		}
		at[i] = low[i]
	}
	return false
}

// maxRatio is more than any filter compresses; deflate reaches 1032.
const maxRatio = 1100

// chunk returns the decoded bytes of a chunk, nil if it was never written. They
// are valid until b is used again.
func (d *Dataset) chunk(index chunkIndex, number int, at []int, b *buffers) ([]byte, error) {
	c, ok := index.find(number)
	if !ok {
		return nil, nil
	}
	filters := d.filters
	if d.layout.plainEdges && d.cut(at) {
		filters = nil
	}
	if size := uint64(d.chunkBytes()); size > (c.size+64)*maxRatio {
		return nil, fmt.Errorf("expected a chunk of %d bytes, %d stored bytes cannot hold that", size, c.size)
	}
	b.in = sized(b.in, int(c.size))
	if err := d.f.readInto(b.in, c.address); err != nil {
		return nil, err
	}
	return decode(filters, c.mask, d.chunkBytes(), b)
}

// cut reports whether a chunk sticks out of the dataset.
func (d *Dataset) cut(at []int) bool {
	for i, a := range at {
		if (a+1)*d.layout.chunk[i] > d.space.dims[i] {
			return true
		}
	}
	return false
}

// box is a block of n elements per axis inside two row-major arrays.
type box struct{ srcShape, src, n, dst, dstShape []int }

// runs calls visit for each run of elements that follow each other in both
// arrays, with its place in the source, in the destination and its length.
func (b box) runs(visit func(from, to, n int) error) error {
	axis, run := len(b.n), 1 // axes from here on belong to a run
	for axis > 0 {
		axis--
		run *= b.n[axis]
		if b.n[axis] != b.srcShape[axis] || b.n[axis] != b.dstShape[axis] {
			break
		}
	}
	at := make([]int, axis)
	high := slices.Clone(b.n[:axis])
	for i := range high {
		high[i]--
	}
	zero := make([]int, axis)
	for {
		from, to := 0, 0
		for i := range b.n {
			f, t := b.src[i], b.dst[i]
			if i < axis {
				f, t = f+at[i], t+at[i]
			}
			from, to = from*b.srcShape[i]+f, to*b.dstShape[i]+t
		}
		if err := visit(from, to, run); err != nil {
			return err
		}
		if axis == 0 || !advance(at, zero, high) {
			return nil
		}
	}
}
