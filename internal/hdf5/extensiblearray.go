package hdf5

import (
	"fmt"
	"math/bits"
)

// extensibleArray reads the index of a dataset with one unlimited axis: an index block
// with the first elements, the addresses of small data blocks and of super blocks,
// which list larger and larger data blocks.
func (r *chunkReader) extensibleArray() error {
	f := r.f
	c, err := r.quota.block(r.d.layout.address, uint64(16+6*f.super.lengthLen+f.super.offsetLen), "extensible array")
	if err != nil {
		return err
	}
	a := &extensibleArray{quota: &r.quota, f: f}
	a.size, a.filtered = r.arrayHeader(c, "EAHD")
	a.shape = extensibleShape{maxBits: c.u8(), indexElements: c.u8(), minElements: c.u8(), minPointers: c.u8(), pageBits: c.u8()}
	for range 4 {
		f.length(c) // numbers and sizes of blocks
	}
	a.used = f.length(c)
	f.length(c) // allocated elements
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
	quota    *quota
	elements elementReader
	size     int
	filtered bool
	shape    extensibleShape
	used     uint64 // elements up to the last one that was ever set
}

// maxUsed is more elements than a dataset has chunks.
const maxUsed = 1 << 48

func (a *extensibleArray) check(what string) error {
	s := a.shape
	powers := bits.OnesCount(uint(s.minElements)) == 1 && bits.OnesCount(uint(s.minPointers)) == 1
	if !powers || s.minPointers < 2 || s.maxBits > 64 || s.pageBits > 30 || s.maxBits < bits.Len(uint(s.minElements)) || a.used > maxUsed {
		return fmt.Errorf("%s: parameters %+v with %d elements are not sensible", what, s, a.used)
	}
	return nil
}

// blocks and blockLength return the data blocks of super block u and their elements.
func (a *extensibleArray) blocks(u int) int       { return 1 << (u / 2) }
func (a *extensibleArray) blockLength(u int) int  { return a.shape.minElements << ((u + 1) / 2) }
func (a *extensibleArray) pages(length int) int   { return length >> a.shape.pageBits }
func (a *extensibleArray) paged(length int) bool  { return length > 1<<a.shape.pageBits }
func (a *extensibleArray) blockOffsetLength() int { return ceilDiv(a.shape.maxBits, 8) }

func (a *extensibleArray) indexBlock(address uint64) error {
	f, s := a.f, a.shape
	log := func(n int) int { return bits.Len(uint(n)) - 1 }
	direct := 2 * log(s.minPointers) // super blocks whose data blocks the index block lists
	supers := 1 + s.maxBits - log(s.minElements)
	if direct > supers {
		direct = supers
	}
	dataBlocks := 2 * (s.minPointers - 1)
	n := 6 + f.super.offsetLen + s.indexElements*a.size + (dataBlocks+supers-direct)*f.super.offsetLen + 4
	c, err := a.quota.block(address, uint64(n), "extensible array index block")
	if err != nil {
		return err
	}
	c.signature("EAIB")
	c.skip(2 + f.super.offsetLen)
	if err := a.elements.read(c, s.indexElements, 0); err != nil {
		return err
	}
	first := s.indexElements
	if direct > 0 && a.paged(a.blockLength(direct-1)) {
		return fmt.Errorf("%s: expected blocks of %d elements without pages, got pages of %d", c.what, a.blockLength(direct-1), 1<<s.pageBits)
	}
	for u := range direct {
		for range a.blocks(u) {
			if err := a.dataBlock(f.address(c), first, a.blockLength(u), pageMap{}); err != nil {
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
	c, err := a.quota.block(address, n, "extensible array super block")
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
		if err := a.dataBlock(at, first+i*length, length, pageMap{written, i * a.pages(length)}); err != nil {
			return err
		}
	}
	f.verify(c)
	return c.err
}

// pageMap has a bit for each page of the data blocks of a super block; the pages of one
// block start at a given bit. The bits of small blocks share bytes, although the map
// has whole bytes for each.
type pageMap struct {
	bits  []byte
	first int
}

// written reports whether page p of the block exists.
func (m pageMap) written(p int) bool {
	p += m.first
	return p/8 < len(m.bits) && m.bits[p/8]&(0x80>>(p%8)) != 0
}

// dataBlock reads a block of elements. A long block is divided into pages.
func (a *extensibleArray) dataBlock(address uint64, first, length int, pages pageMap) error {
	if address == undefined || uint64(first) >= a.used {
		return nil
	}
	head := 6 + a.f.super.offsetLen + a.blockOffsetLength()
	if !a.paged(length) {
		return a.elements.block(address, head, length, first, "EADB", "extensible array block")
	}
	c, err := a.quota.block(address, uint64(head+4), "extensible array block")
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
		if pages.written(p) {
			if err := a.elements.block(at, 0, page, first+p*page, "", "extensible array page"); err != nil {
				return err
			}
		}
		at += uint64(page*a.size + 4)
	}
	return nil
}
