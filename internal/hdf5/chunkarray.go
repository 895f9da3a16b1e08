package hdf5

// element parses one entry of a fixed or extensible array: the address of a
// chunk and, if chunks are filtered, its size and mask.
func (r *chunkReader) element(c *cursor, size int, filtered bool) (address, bytes uint64, mask uint32) {
	address, bytes = r.f.address(c), uint64(r.d.chunkBytes())
	if filtered {
		bytes, mask = c.uint(size-r.f.super.offsetLen-4), c.u32()
	}
	return address, bytes, mask
}

// arrayHeader checks the common start of the headers of both arrays and returns the
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

// elementReader adds the chunks that blocks of elements list.
type elementReader struct {
	r        *chunkReader
	size     int
	filtered bool
	place    *place
	axis     int // extensible array: the unlimited axis, which is counted first
	swap     []int
}

// block reads n elements that follow head bytes of a block; the block ends with a
// checksum. first is the number of the first element.
func (e *elementReader) block(address uint64, head, n, first int, signature, what string) error {
	c, err := e.r.quota.block(address, uint64(head+n*e.size+4), what)
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

// at returns the position of a chunk. Extensible arrays count the unlimited axis first.
func (e *elementReader) at(n int) []int {
	p := e.place.at(n)
	if e.axis == 0 {
		return p
	}
	e.swap = append(e.swap[:0], p[1:e.axis+1]...)
	e.swap = append(e.swap, p[0])
	return append(e.swap, p[e.axis+1:]...)
}
