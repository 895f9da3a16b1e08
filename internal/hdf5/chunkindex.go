package hdf5

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// chunk is the location of a stored chunk.
type chunk struct {
	// number counts chunks row major over the dataset.
	number  int
	address uint64
	size    uint32 // bytes stored
	mask    uint32 // filters that were skipped
}

// chunkIndex finds the stored chunks of a dataset. They are sorted by number.
type chunkIndex []chunk

// find returns the chunk of a number, and false if it was never written.
func (x chunkIndex) find(number int) (chunk, bool) {
	if number < len(x) && x[number].number == number {
		return x[number], true
	}
	i, ok := slices.BinarySearchFunc(x, number, func(c chunk, n int) int { return cmp.Compare(c.number, n) })
	if !ok {
		return chunk{}, false
	}
	return x[i], true
}

// chunkReader collects the stored chunks of a dataset.
type chunkReader struct {
	f      *File
	quota  quota // of the index and the chunks
	d      *Dataset
	counts []int // chunks along each axis
	found  chunkIndex
}

// chunks reads the index of a dataset.
func (d *Dataset) readIndex() (chunkIndex, error) {
	r := &chunkReader{f: d.f, quota: quota{f: d.f}, d: d, counts: d.chunkCounts()}
	if d.layout.address == undefined || product(r.counts) == 0 {
		return nil, nil
	}
	read := map[int]func() error{
		indexTree1: r.tree1, indexSingle: r.single, indexImplicit: r.implicit,
		indexFixed: r.fixedArray, indexExtensible: r.extensibleArray, indexTree2: r.tree2,
	}[d.layout.index]
	if err := read(); err != nil {
		return nil, fmt.Errorf("chunk index: %w", err)
	}
	slices.SortFunc(r.found, func(a, b chunk) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(r.found); i++ {
		if r.found[i].number == r.found[i-1].number {
			return nil, fmt.Errorf("chunk index: chunk %d is listed twice", r.found[i].number)
		}
	}
	return slices.Clone(r.found), nil // without unused capacity
}

// chunkCounts returns the number of chunks along each axis.
func (d *Dataset) chunkCounts() []int {
	n := make([]int, len(d.space.dims))
	for i, len := range d.space.dims {
		n[i] = ceilDiv(len, d.layout.chunk[i])
	}
	return n
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// add stores a chunk at the given position, counted in chunks along each axis. It
// ignores chunks outside of the dataset, which are left from a time when the dataset
// was larger.
func (r *chunkReader) add(place []int, address, size uint64, mask uint32) error {
	if address == undefined {
		return nil
	}
	number := 0
	for i, p := range place {
		if p >= r.counts[i] {
			return nil
		}
		number = number*r.counts[i] + p
	}
	if size == 0 || size > math.MaxUint32 {
		return fmt.Errorf("chunk %v: expected 1 byte to 4 GiB, got %d bytes", place, size)
	}
	err := r.f.within(address, size)
	if err == nil {
		err = r.quota.take(size)
	}
	if err != nil {
		return fmt.Errorf("chunk %v: %w", place, err)
	}
	r.found = append(r.found, chunk{number, address, uint32(size), mask})
	return nil
}

// tree1 reads a B-tree of version 1, whose keys hold size, mask and the offset
// of the chunk's first element.
func (r *chunkReader) tree1() error {
	rank := len(r.counts)
	place := make([]int, rank)
	w := treeWalk{quota: &r.quota, kind: chunkTree, rank: rank, seen: map[uint64]bool{}}
	return w.walk(r.d.layout.address, -1, func(key *cursor, child uint64) error {
		size, mask := uint64(key.u32()), key.u32()
		for i := range place {
			at, n := key.uint(8), uint64(r.d.layout.chunk[i])
			if key.err == nil && at%n != 0 {
				key.fail("chunk offset %d is no multiple of %d", at, n)
			}
			place[i] = int(min(at/n, 1<<62))
		}
		if key.err != nil {
			return key.err
		}
		return r.add(place, child, size, mask)
	})
}

// single reads the only chunk of a dataset.
func (r *chunkReader) single() error {
	l := r.d.layout
	size := l.singleSize
	if size == 0 {
		size = uint64(r.d.chunkBytes())
	}
	return r.add(make([]int, len(r.counts)), l.address, size, l.singleMask)
}

// implicit lists chunks that follow each other in the file, unfiltered.
func (r *chunkReader) implicit() error {
	size := uint64(r.d.chunkBytes())
	n := product(r.limitCounts(-1))
	if err := r.f.within(r.d.layout.address, 0); err != nil {
		return err
	}
	if uint64(n) > uint64(r.f.size)/size {
		return fmt.Errorf("expected %d chunks of %d bytes, the file has %d bytes", n, size, r.f.size)
	}
	place := newPlace(r.limitCounts(-1))
	for i := range n {
		if err := r.add(place.at(i), r.d.layout.address+uint64(i)*size, size, 0); err != nil {
			return err
		}
	}
	return nil
}

// limitCounts returns the chunks along each axis for a dataset of the largest allowed
// size. first, if not -1, is the unlimited axis, which keeps its current count.
func (r *chunkReader) limitCounts(first int) []int {
	n := make([]int, len(r.counts))
	for i := range n {
		n[i] = r.counts[i]
		if limit := r.d.space.limits[i]; i != first && limit >= 0 {
			n[i] = ceilDiv(limit, r.d.layout.chunk[i])
		}
	}
	return n
}

// place converts row-major numbers to coordinates.
type place struct{ counts, out []int }

func newPlace(counts []int) *place { return &place{counts, make([]int, len(counts))} }

// at returns the coordinates of a number, valid until the next call; the first axis has
// no bound.
func (p *place) at(n int) []int {
	for i := len(p.counts) - 1; i > 0; i-- {
		p.out[i] = n % p.counts[i]
		n /= p.counts[i]
	}
	p.out[0] = n
	return p.out
}

// tree2 reads a B-tree of version 2, whose records hold the address, for filtered
// chunks also size and mask, and the position in chunks.
func (r *chunkReader) tree2() error {
	t, err := r.quota.tree2(r.d.layout.address, recordChunk, recordFilteredChunk)
	if err != nil {
		return err
	}
	place := make([]int, len(r.counts))
	sizeLen := t.recordSize - r.f.super.offsetLen - 4 - 8*len(place)
	return t.each(func(c *cursor) error {
		address := r.f.address(c)
		size, mask := uint64(r.d.chunkBytes()), uint32(0)
		if t.kind == recordFilteredChunk {
			if sizeLen < 1 || sizeLen > 8 {
				return fmt.Errorf("%s: records of %d bytes do not fit %d axes", c.what, t.recordSize, len(place))
			}
			size, mask = c.uint(sizeLen), c.u32()
		}
		for i := range place {
			place[i] = int(min(c.uint(8), 1<<62))
		}
		if c.err != nil {
			return c.err
		}
		return r.add(place, address, size, mask)
	})
}
