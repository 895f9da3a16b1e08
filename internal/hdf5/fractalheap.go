package hdf5

import (
	"fmt"
	"math/bits"
)

// fractalHeap holds the links of a large group or the attributes of an object with many
// attributes. Its blocks form a table with width blocks per row. Blocks of rows 0 and 1
// have the starting size; the size doubles from row to row after that.
type fractalHeap struct {
	f          *File
	blocks     *blockCache
	what       string
	idLen      int
	filtered   bool
	checksums  bool // of direct blocks
	maxManaged int
	hugeTree   uint64
	huge       map[uint64]extent // by ID; nil until the tree is read
	width      int
	start      uint64 // size of the smallest block
	maxDirect  uint64 // size of the largest direct block
	sizeBits   int
	root       uint64
	rows       int // of the root; 0 if it is a direct block
}

func (f *File) fractalHeap(address uint64) (*fractalHeap, error) {
	c, err := f.block(address, uint64(26+12*f.super.lengthLen+3*f.super.offsetLen), "fractal heap")
	if err != nil {
		return nil, err
	}
	c.signature("FRHP")
	c.version(0)
	h := &fractalHeap{f: f, blocks: newBlockCache(f), what: c.what, idLen: c.u16()}
	h.filtered = c.u16() > 0
	h.checksums = c.u8()&2 != 0
	h.maxManaged = int(c.u32())
	f.length(c) // next huge object
	h.hugeTree = f.address(c)
	f.length(c)  // free space
	f.address(c) // its manager
	for range 8 {
		f.length(c) // sizes and numbers of objects
	}
	h.width = c.u16()
	h.start, h.maxDirect = f.length(c), f.length(c)
	h.sizeBits = c.u16()
	c.skip(2) // rows the root starts with
	h.root, h.rows = f.address(c), c.u16()
	if c.err == nil {
		err = h.check(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return h, err
}

func (h *fractalHeap) check(c *cursor) error {
	if h.filtered {
		return fmt.Errorf("%s: compressed heaps are not supported", h.what)
	}
	powers := bits.OnesCount64(h.start) == 1 && bits.OnesCount64(h.maxDirect) == 1 && bits.OnesCount(uint(h.width)) == 1 && h.start <= h.maxDirect
	if !powers || h.maxDirect > 1<<32 || h.sizeBits < 1 || h.sizeBits > 64 || h.rows > 64 || h.idLen < 1 {
		return fmt.Errorf("%s: a table of %d blocks in %d rows, %d to %d bytes each, is not sensible", h.what, h.width, h.rows, h.start, h.maxDirect)
	}
	h.f.verify(c)
	return nil
}

// offsetLen and lengthLen are the bytes of an offset and a length in an ID.
func (h *fractalHeap) offsetLen() int { return (h.sizeBits + 7) / 8 }

func (h *fractalHeap) lengthLen() int {
	return min((bits.Len64(h.maxDirect)-1+7)/8, bytesFor(uint64(h.maxManaged)))
}

// object returns the bytes of the object with an ID.
func (h *fractalHeap) object(id []byte) ([]byte, error) {
	c := &cursor{b: id, what: h.what + ": object ID"}
	head := c.u8()
	switch kind := head >> 4 & 3; {
	case head>>6 != 0:
		c.fail("expected version 0, got %d", head>>6)
	case kind == 0:
		at, n := c.uint(h.offsetLen()), c.uint(h.lengthLen())
		if c.err == nil {
			return h.managed(at, n)
		}
	case kind == 1:
		return h.hugeObject(c)
	case kind == 2 && h.idLen <= 17:
		return c.bytes(head&15 + 1), c.err
	case kind == 2:
		n := (head&15)<<8 | c.u8()
		return c.bytes(n + 1), c.err
	default:
		c.fail("unknown kind of object %d", kind)
	}
	return nil, c.err
}

// rowSize returns the size of the blocks of a row.
func (h *fractalHeap) rowSize(row int) uint64 {
	if row == 0 {
		return h.start
	}
	return h.start << min(row-1, 62)
}

// directRows returns the number of rows of direct blocks.
func (h *fractalHeap) directRows() int {
	return bits.Len64(h.maxDirect) - bits.Len64(h.start) + 2
}

// managed reads n bytes at an offset of the heap's address space.
func (h *fractalHeap) managed(at, n uint64) ([]byte, error) {
	if h.rows == 0 {
		return h.direct(h.root, h.start, at, n)
	}
	return h.indirect(h.root, h.rows, at, n, 0)
}

// direct reads from a direct block; at counts from the block's first byte.
func (h *fractalHeap) direct(address, size, at, n uint64) ([]byte, error) {
	if at > size || n > size-at {
		return nil, fmt.Errorf("%s: expected an object within a block of %d bytes, got %d bytes at %d", h.what, size, n, at)
	}
	b, err := h.blocks.get(address, size, "direct block", h.checkDirect)
	if err != nil {
		return nil, err
	}
	return b[at : at+n], nil
}

// checkDirect checks the header of a direct block and its checksum, which is computed
// with the checksum field set to zero.
func (h *fractalHeap) checkDirect(c *cursor) {
	c.signature("FHDB")
	c.version(0)
	if !h.checksums {
		return
	}
	c.skip(h.f.super.offsetLen + h.offsetLen())
	at := c.pos
	want := c.u32()
	if c.err != nil || h.f.anyChecksum {
		return
	}
	clear(c.b[at : at+4])
	if got := checksum(c.b); got != want {
		c.fail("checksum: expected %#08x, got %#08x: the file is damaged here", got, want)
	}
}

// indirect finds the block that holds an offset in a table and reads there.
func (h *fractalHeap) indirect(address uint64, rows int, at, n uint64, depth int) ([]byte, error) {
	if depth > 16 {
		return nil, fmt.Errorf("%s: more than 16 nested indirect blocks", h.what)
	}
	row, column, inside := h.locate(at)
	if row >= rows {
		return nil, fmt.Errorf("%s: expected an offset within %d rows of blocks, got %d", h.what, rows, at)
	}
	head, entry := 5+h.f.super.offsetLen+h.offsetLen(), h.f.super.offsetLen
	b, err := h.blocks.get(address, uint64(head+rows*h.width*entry+4), "indirect block", h.checkIndirect)
	if err != nil {
		return nil, err
	}
	child := h.f.address(&cursor{b: b[head+(row*h.width+column)*entry:]})
	if child == undefined {
		return nil, fmt.Errorf("%s: no block at offset %d", h.what, at)
	}
	if row < h.directRows() {
		return h.direct(child, h.rowSize(row), inside, n)
	}
	return h.indirect(child, bits.Len64(h.rowSize(row))-bits.Len64(h.start*uint64(h.width))+1, inside, n, depth+1)
}

func (h *fractalHeap) checkIndirect(c *cursor) {
	c.signature("FHIB")
	c.version(0)
	c.skip(c.left() - 4)
	h.f.verify(c)
}

// locate returns the row and column of the block that holds an offset, and the
// offset inside that block.
func (h *fractalHeap) locate(at uint64) (row, column int, inside uint64) {
	begin := uint64(0)
	for row = range 64 {
		size := h.rowSize(row)
		hi, all := bits.Mul64(size, uint64(h.width))
		if hi != 0 || at-begin < all {
			return row, int((at - begin) / size), (at - begin) % size
		}
		begin += all
	}
	return 64, 0, 0
}

// hugeObject reads an object that is too large for the blocks of the heap.
func (h *fractalHeap) hugeObject(c *cursor) ([]byte, error) {
	if h.idLen-1 >= h.f.super.offsetLen+h.f.super.lengthLen {
		e := extent{h.f.address(c), h.f.length(c)}
		if c.err != nil {
			return nil, c.err
		}
		return h.blocks.get(e.address, e.size, "huge object", nil)
	}
	id := c.uint(min(h.idLen-1, h.f.super.lengthLen))
	if c.err != nil {
		return nil, c.err
	}
	if h.huge == nil {
		if err := h.readHuge(); err != nil {
			return nil, err
		}
	}
	e, ok := h.huge[id]
	if !ok {
		return nil, fmt.Errorf("%s: has no huge object %d", h.what, id)
	}
	return h.blocks.get(e.address, e.size, "huge object", nil)
}

// readHuge reads the tree of the huge objects that cannot be located by their IDs
// alone.
func (h *fractalHeap) readHuge() error {
	t, err := (&quota{f: h.f}).tree2(h.hugeTree, recordHuge)
	if err != nil {
		return err
	}
	h.huge = map[uint64]extent{}
	return t.each(func(c *cursor) error {
		e, id := extent{h.f.address(c), h.f.length(c)}, h.f.length(c)
		h.huge[id] = e
		return c.err
	})
}
