package hdf5

import (
	"fmt"
	"math/bits"
)

// element parses one entry of a fixed or extensible array: the address of a
// chunk and, if chunks are filtered, its size and mask.
func (r *chunkReader) element(c *cursor, size int, filtered bool) (address, bytes uint64, mask uint32) {
	address, bytes = r.f.address(c), uint64(r.d.chunkBytes())
	if filtered {
		bytes, mask = c.uint(size-r.f.super.offsetLen-4), c.u32()
	}
	return address, bytes, mask
}

// arrayHeader checks what the headers of both arrays begin with and returns the
// size of an element and whether chunks are filtered.
func (r *chunkReader) arrayHeader(c *cursor, signature string) (size int, filtered bool) {
	c.signature(signature)
	c.version(0)
	client := c.u8()
	if c.err == nil && client > 1 {
		c.fail("expected an array of chunks (client 0 or 1), got client %d", client)
	}
	filtered = client == 1
	size = c.u8()
	least := r.f.super.offsetLen
	if filtered {
		least += 4 + 1
	}
	if c.err == nil && (size < least || size > least+8) {
		c.fail("expected elements of %d bytes or a little more, got %d", least, size)
	}
	return size, filtered
}

// fixedArray reads the index of a dataset that cannot grow.
func (r *chunkReader) fixedArray() error {
	f := r.f
	c, err := f.block(r.d.layout.address, uint64(12+f.super.lengthLen+f.super.offsetLen), "fixed array")
	if err != nil {
		return err
	}
	size, filtered := r.arrayHeader(c, "FAHD")
	pageBits, n, at := c.u8(), f.length(c), f.address(c)
	f.verify(c)
	if c.err != nil || at == undefined {
		return c.err
	}
	if pageBits > 30 || n > uint64(f.size) {
		return fmt.Errorf("%s: %d elements in pages of 2^%d are not sensible", c.what, n, pageBits)
	}
	elements := elementReader{r: r, size: size, filtered: filtered, place: newPlace(r.limitCounts(-1))}
	page := 1 << pageBits
	head := 6 + f.super.offsetLen
	if int(n) <= page {
		return elements.block(at, head, int(n), 0, "FADB", "fixed array block")
	}
	pages := ceilDiv(int(n), page)
	head += ceilDiv(pages, 8)
	c, err = f.block(at, uint64(head+4), "fixed array block")
	if err != nil {
		return err
	}
	c.signature("FADB")
	c.skip(head - ceilDiv(pages, 8) - 4)
	written := c.bytes(ceilDiv(pages, 8))
	f.verify(c)
	if c.err != nil {
		return c.err
	}
	at += uint64(head + 4)
	for p := range pages {
		count := min(page, int(n)-p*page)
		if written[p/8]&(0x80>>(p%8)) != 0 {
			if err := elements.block(at, 0, count, p*page, "", "fixed array page"); err != nil {
				return err
			}
		}
		at += uint64(page*size + 4)
	}
	return nil
}

// elementReader adds the chunks that blocks of elements list.
type elementReader struct {
	r        *chunkReader
	size     int
	filtered bool
	place    *place
	axis     int // extensible array: the unlimited axis, which comes first
	swap     []int
}

// block reads n elements after head bytes of a block that ends with a checksum;
// first is the number of the first one.
func (e *elementReader) block(address uint64, head, n, first int, signature, what string) error {
	c, err := e.r.f.block(address, uint64(head+n*e.size+4), what)
	if err != nil {
		return err
	}
	if signature != "" {
		c.signature(signature)
		c.skip(head - 4)
	}
	if err := e.read(c, n, first); err != nil {
		return err
	}
	e.r.f.verify(c)
	return c.err
}

// read reads n elements.
func (e *elementReader) read(c *cursor, n, first int) error {
	for i := range n {
		address, bytes, mask := e.r.element(c, e.size, e.filtered)
		if c.err != nil {
			return c.err
		}
		if err := e.r.add(e.at(first+i), address, bytes, mask); err != nil {
			return err
		}
	}
	return nil
}

// at returns the place of a chunk. Extensible arrays count with the unlimited
// axis first.
func (e *elementReader) at(n int) []int {
	p := e.place.at(n)
	if e.axis == 0 {
		return p
	}
	e.swap = append(e.swap[:0], p[1:e.axis+1]...)
	e.swap = append(e.swap, p[0])
	return append(e.swap, p[e.axis+1:]...)
}

// extensibleArray reads the index of a dataset with one unlimited axis: an index
// block with the first elements, the addresses of small data blocks and of
// super blocks, which list larger and larger data blocks.
func (r *chunkReader) extensibleArray() error {
	f := r.f
	c, err := f.block(r.d.layout.address, uint64(16+6*f.super.lengthLen+f.super.offsetLen), "extensible array")
	if err != nil {
		return err
	}
	a := &extensibleArray{f: f}
	a.size, a.filtered = r.arrayHeader(c, "EAHD")
	a.shape = extensibleShape{maxBits: c.u8(), indexElements: c.u8(), minElements: c.u8(), minPointers: c.u8(), pageBits: c.u8()}
	for range 4 {
		f.length(c) // numbers and sizes of blocks
	}
	a.used = f.length(c)
	f.length(c) // elements with room
	at := f.address(c)
	f.verify(c)
	if c.err != nil || at == undefined {
		return c.err
	}
	if err := a.check(c.what); err != nil {
		return err
	}
	axis := 0
	for i, limit := range r.d.space.limits {
		if limit < 0 {
			axis = i
		}
	}
	counts := r.limitCounts(axis)
	front := append([]int{counts[axis]}, counts[:axis]...)
	a.elements = elementReader{r: r, size: a.size, filtered: a.filtered, axis: axis, place: newPlace(append(front, counts[axis+1:]...))}
	return a.indexBlock(at)
}

type extensibleArray struct {
	f        *File
	elements elementReader
	size     int
	filtered bool
	shape    extensibleShape
	used     uint64 // elements up to the last one ever set
}

func (a *extensibleArray) check(what string) error {
	s := a.shape
	powers := bits.OnesCount(uint(s.minElements)) == 1 && bits.OnesCount(uint(s.minPointers)) == 1
	if !powers || s.minPointers < 2 || s.maxBits > 64 || s.pageBits > 30 || s.maxBits < bits.Len(uint(s.minElements)) || a.used > uint64(a.f.size) {
		return fmt.Errorf("%s: parameters %+v with %d elements are not sensible", what, s, a.used)
	}
	return nil
}

// Of super block u: its data blocks, and the elements of each.
func (a *extensibleArray) blocks(u int) int       { return 1 << (u / 2) }
func (a *extensibleArray) blockLength(u int) int  { return a.shape.minElements << ((u + 1) / 2) }
func (a *extensibleArray) pages(length int) int   { return length >> a.shape.pageBits }
func (a *extensibleArray) paged(length int) bool  { return length > 1<<a.shape.pageBits }
func (a *extensibleArray) blockOffsetLength() int { return ceilDiv(a.shape.maxBits, 8) }

func (a *extensibleArray) indexBlock(address uint64) error {
	f, s := a.f, a.shape
	log := func(n int) int { return bits.Len(uint(n)) - 1 }
	direct := 2 * log(s.minPointers) // super blocks whose data blocks are listed here
	supers := 1 + s.maxBits - log(s.minElements)
	if direct > supers {
		direct = supers
	}
	dataBlocks := 2 * (s.minPointers - 1)
	n := 6 + f.super.offsetLen + s.indexElements*a.size + (dataBlocks+supers-direct)*f.super.offsetLen + 4
	c, err := f.block(address, uint64(n), "extensible array index block")
	if err != nil {
		return err
	}
	c.signature("EAIB")
	c.skip(2 + f.super.offsetLen)
	if err := a.elements.read(c, s.indexElements, 0); err != nil {
		return err
	}
	first := s.indexElements
	for u := range direct {
		for range a.blocks(u) {
			if err := a.dataBlock(f.address(c), first, a.blockLength(u), nil); err != nil {
				return err
			}
			first += a.blockLength(u)
		}
	}
	for u := direct; u < supers && uint64(first) < a.used; u++ {
		if err := a.superBlock(f.address(c), first, u); err != nil {
			return err
		}
		first += a.blocks(u) * a.blockLength(u)
	}
	c.skip(c.left() - 4)
	f.verify(c)
	return c.err
}

// superBlock reads the data blocks that super block u lists.
func (a *extensibleArray) superBlock(address uint64, first, u int) error {
	if address == undefined {
		return nil
	}
	f, length := a.f, a.blockLength(u)
	mapLen := 0
	if a.paged(length) {
		mapLen = ceilDiv(a.pages(length), 8)
	}
	head := 6 + f.super.offsetLen + a.blockOffsetLength()
	n := uint64(head) + uint64(a.blocks(u))*uint64(mapLen+f.super.offsetLen) + 4
	c, err := f.block(address, n, "extensible array super block")
	if err != nil {
		return err
	}
	c.signature("EASB")
	c.skip(head - 4)
	written := c.bytes(a.blocks(u) * mapLen)
	for i := range a.blocks(u) {
		at := f.address(c)
		if c.err != nil {
			return c.err
		}
		if err := a.dataBlock(at, first+i*length, length, written[i*mapLen:(i+1)*mapLen]); err != nil {
			return err
		}
	}
	f.verify(c)
	return c.err
}

// dataBlock reads a block of elements. A long one is cut into pages; written
// has a bit for each that exists.
func (a *extensibleArray) dataBlock(address uint64, first, length int, written []byte) error {
	if address == undefined || uint64(first) >= a.used {
		return nil
	}
	head := 6 + a.f.super.offsetLen + a.blockOffsetLength()
	if !a.paged(length) {
		return a.elements.block(address, head, length, first, "EADB", "extensible array block")
	}
	c, err := a.f.block(address, uint64(head+4), "extensible array block")
	if err != nil {
		return err
	}
	c.signature("EADB")
	c.skip(head - 4)
	a.f.verify(c)
	if c.err != nil {
		return c.err
	}
	page := 1 << a.shape.pageBits
	at := address + uint64(head+4)
	for p := range a.pages(length) {
		if p/8 < len(written) && written[p/8]&(0x80>>(p%8)) != 0 {
			if err := a.elements.block(at, 0, page, first+p*page, "", "extensible array page"); err != nil {
				return err
			}
		}
		at += uint64(page*a.size + 4)
	}
	return nil
}
