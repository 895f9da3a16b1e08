package hdf5

import "fmt"

// layoutKind is the storage of the elements of a dataset.
type layoutKind int

const (
	compactLayout layoutKind = iota
	contiguousLayout
	chunkedLayout
	virtualLayout // parts of other datasets, not supported
)

// The indexes that find the chunks of a dataset.
const (
	indexTree1      = 0 // not a number of the format: the index of layouts before version 4
	indexSingle     = 1
	indexImplicit   = 2
	indexFixed      = 3
	indexExtensible = 4
	indexTree2      = 5
)

// layout is a parsed data layout message.
type layout struct {
	kind    layoutKind
	data    []byte // compact: the elements
	address uint64 // contiguous: the elements; chunked: the index
	size    uint64 // contiguous: bytes
	chunk   []int  // chunked: shape of a chunk
	index   int
	version int
	// plainEdges says that chunks which the edge of the dataset cuts are not filtered.
	plainEdges bool
	// singleSize and singleMask belong to a single filtered chunk.
	singleSize uint64
	singleMask uint32
	pageBits   int // fixed array
	extensible extensibleShape
}

// extensibleShape holds the parameters of an extensible array, which its header
// repeats.
type extensibleShape struct{ maxBits, indexElements, minPointers, minElements, pageBits int }

// parseLayout parses a data layout message of a dataset with elements of size
// bytes.
func (f *File) parseLayout(c *cursor, size int) layout {
	l := layout{address: undefined, index: indexTree1}
	l.version = c.version(1, 2, 3, 4, 5)
	switch {
	case c.err != nil:
	case l.version < 3:
		f.parseOldLayout(c, &l, size)
	default:
		l.kind = layoutKind(c.u8())
		switch l.kind {
		case compactLayout:
			l.data = c.bytes(c.u16())
		case contiguousLayout:
			l.address, l.size = f.address(c), f.length(c)
		case chunkedLayout:
			if l.version == 3 {
				rank := c.u8()
				l.address = f.address(c)
				f.parseChunkShape(c, &l, rank, 4, size)
			} else {
				f.parseNewChunks(c, &l, size)
			}
		case virtualLayout:
			c.fail("data layout: virtual datasets are not supported")
		default:
			c.fail("data layout: expected class 0 to 3, got %d", l.kind)
		}
	}
	return l
}

// parseOldLayout parses versions 1 and 2.
func (f *File) parseOldLayout(c *cursor, l *layout, size int) {
	rank := c.u8()
	l.kind = layoutKind(c.u8())
	c.skip(5)
	if l.kind != compactLayout {
		l.address = f.address(c)
	}
	switch l.kind {
	case chunkedLayout:
		f.parseChunkShape(c, l, rank, 4, size)
	case contiguousLayout:
		n := uint64(1)
		for range rank {
			n *= uint64(c.u32())
		}
		l.size = n * uint64(size)
	case compactLayout:
		c.skip(4 * rank)
		l.data = c.bytes(int(c.u32()))
	default:
		c.fail("data layout: expected class 0, 1 or 2, got %d", l.kind)
	}
}

// parseChunkShape reads the lengths of a chunk; the last is the size of an
// element.
func (f *File) parseChunkShape(c *cursor, l *layout, rank, width, size int) {
	if rank < 2 || rank > maxRank+1 {
		c.fail("data layout: expected chunks of 1 to %d axes, got %d", maxRank, rank-1)
		return
	}
	bytes := 1.0
	for range rank {
		n := c.uint(width)
		bytes *= float64(n)
		if c.err == nil && (n == 0 || bytes > maxChunk) {
			c.fail("data layout: expected chunks of 1 byte to 4 GiB, got an axis of %d", n)
		}
		l.chunk = append(l.chunk, int(n))
	}
	if last := l.chunk[rank-1]; c.err == nil && last != size {
		c.fail("data layout: expected elements of %d bytes, got %d", size, last)
	}
	l.chunk = l.chunk[:rank-1]
}

// maxChunk is the largest number of bytes of a chunk, as in the format up to layouts of
// version 4.
const maxChunk = 1<<32 - 1

// parseNewChunks parses the chunks of versions 4 and 5.
func (f *File) parseNewChunks(c *cursor, l *layout, size int) {
	flags := c.u8()
	l.plainEdges = flags&1 != 0
	rank, width := c.u8(), c.u8()
	f.parseChunkShape(c, l, rank, width, size)
	switch l.index = c.u8(); l.index {
	case indexSingle:
		if flags&2 != 0 {
			l.singleSize = f.length(c)
			l.singleMask = c.u32()
		}
	case indexImplicit:
	case indexFixed:
		l.pageBits = c.u8()
	case indexExtensible:
		l.extensible = extensibleShape{c.u8(), c.u8(), c.u8(), c.u8(), c.u8()}
	case indexTree2:
		c.skip(4 + 1 + 1)
	default:
		c.fail("data layout: expected a chunk index of type 1 to 5, got %d", l.index)
	}
	l.address = f.address(c)
}

// layoutOf returns the layout of an object's elements.
func (f *File) layoutOf(o *object, size int) (layout, error) {
	m, ok := o.first(msgLayout)
	if !ok {
		return layout{}, fmt.Errorf("the object at %#x is not a dataset", o.address)
	}
	if _, external := o.first(msgExternal); external {
		return layout{}, fmt.Errorf("the values are stored in other files, which is not supported")
	}
	c := o.cursor(m, "data layout")
	l := f.parseLayout(c, size)
	return l, c.err
}
