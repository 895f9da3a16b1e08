package hdf5

import "fmt"

// convert converts raw elements of a type to Go numbers.
type convert[T any] func(t datatype, dst []T, raw []byte)

// piece is the number of bytes of contiguous elements that are read at once.
const piece = 1 << 18

// cached is the number of bytes of a shuffled chunk that are put in order at once, which the
// processor's cache holds until they are converted.
const cached = 1 << 14

// read reads the block of count elements per axis at offset into dst.
func read[T any](d *Dataset, dst []T, offset, count []int, conv convert[T]) error {
	if err := d.typ.number(); err != nil {
		return err
	}
	n, err := d.elements(offset, count)
	if err != nil {
		return err
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

// elements returns the number of elements of a block inside the dataset.
func (d *Dataset) elements(offset, count []int) (int, error) {
	dims := d.space.dims
	if len(offset) != len(dims) || len(count) != len(dims) {
		return 0, fmt.Errorf("expected an offset and a count for each axis of shape %v, got %v and %v", dims, offset, count)
	}
	n := 1
	for i, c := range count {
		if offset[i] < 0 || c < 0 || c > dims[i] || offset[i] > dims[i]-c {
			return 0, fmt.Errorf("expected a block within shape %v, got %v elements at %v", dims, count, offset)
		}
		n *= c
	}
	if d.space.null {
		n = 0
	}
	return n, nil
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
				b.in = sized(b.in, k*d.typ.size)
				repeat(b.in, d.fill)
				raw = b.in
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

// repeat fills dst with copies of an element.
func repeat(dst, element []byte) {
	for n := copy(dst, element); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// readChunks reads every chunk that a block touches.
func readChunks[T any](d *Dataset, dst []T, offset, count []int, conv convert[T]) error {
	index, err := d.chunks()
	if err != nil {
		return err
	}
	b := pool.Get().(*buffers)
	defer pool.Put(b)
	w := newChunkWindow(d, offset, count)
	width := d.typ.size
	var scratch []T // elements whose places in dst are apart
	for {
		c, err := d.chunk(index, w.number(), w.at, b)
		if err != nil {
			return fmt.Errorf("chunk %v: %w", w.at, err)
		}
		err = w.part().strided(func(from, to, n, step int) error {
			most := n
			if c.bytes == nil || c.planes || step > 1 {
				most = max(1, cached/width)
			}
			for n > 0 {
				k := min(n, most)
				raw := c.elements(b, width, from, k)
				if step == 1 {
					conv(d.typ, dst[to:to+k], raw)
				} else {
					scratch = append(scratch[:0], make([]T, k)...)
					conv(d.typ, scratch, raw)
					for i, x := range scratch {
						dst[to+i*step] = x
					}
				}
				from, to, n = from+k, to+k*step, n-k
			}
			return nil
		})
		if err != nil {
			return err
		}
		if !advance(w.at, w.low, w.high) {
			return nil
		}
	}
}

// maxRatio is larger than the compression ratio of any filter; deflate reaches 1032.
const maxRatio = 1100

// chunk returns a decoded chunk, which is valid until b.in is used again. One that was never
// written has the fill value.
func (d *Dataset) chunk(index chunkIndex, number int, at []int, b *buffers) (decoded, error) {
	place, ok := index.find(number)
	if !ok {
		return decoded{fill: d.fill}, nil
	}
	filters := d.filters
	if d.layout.plainEdges && d.cut(at) {
		filters = nil
	}
	if size := uint64(d.chunkBytes()); size > (uint64(place.size)+64)*maxRatio {
		return decoded{}, fmt.Errorf("expected a chunk of %d bytes, %d stored bytes cannot hold that", size, place.size)
	}
	b.in = sized(b.in, int(place.size))
	if err := d.f.readInto(b.in, place.address); err != nil {
		return decoded{}, err
	}
	return decode(filters, place.mask, d.chunkBytes(), d.typ.size, b)
}

// cut reports whether a chunk extends beyond the dataset.
func (d *Dataset) cut(at []int) bool {
	for i, a := range at {
		if (a+1)*d.layout.chunk[i] > d.space.dims[i] {
			return true
		}
	}
	return false
}
