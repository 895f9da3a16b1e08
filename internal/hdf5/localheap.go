package hdf5

import "fmt"

// localHeap reads the heap that holds the names of an old group's members.
func (f *File) localHeap(address uint64) ([]byte, error) {
	c, err := f.block(address, uint64(8+2*f.super.lengthLen+f.super.offsetLen), "local heap")
	if err != nil {
		return nil, err
	}
	c.signature("HEAP")
	c.version(0)
	c.skip(3)
	size := f.length(c)
	c.skip(f.super.lengthLen) // free list
	at := f.address(c)
	if c.err != nil {
		return nil, c.err
	}
	b, err := f.read(at, size)
	if err != nil {
		return nil, fmt.Errorf("%s: names: %w", c.what, err)
	}
	return b, nil
}

// globalHeap reads objects of collections that hold variable-length values. It keeps
// the collections that it has read.
type globalHeap struct {
	quota       quota
	collections map[uint64]map[int][]byte
}

// object returns object i of the collection at an address.
func (h *globalHeap) object(address uint64, i int) ([]byte, error) {
	objects, ok := h.collections[address]
	if !ok {
		var err error
		if objects, err = h.collection(address); err != nil {
			return nil, err
		}
		if h.collections == nil {
			h.collections = map[uint64]map[int][]byte{}
		}
		h.collections[address] = objects
	}
	b, ok := objects[i]
	if !ok {
		return nil, fmt.Errorf("global heap at %#x: has no object %d", address, i)
	}
	return b, nil
}

func (h *globalHeap) collection(address uint64) (map[int][]byte, error) {
	f := h.quota.f
	// The headers of a collection and of its objects end at multiples of 8.
	head := ceilDiv(8+f.super.lengthLen, 8) * 8
	c, err := f.block(address, uint64(head), "global heap")
	if err != nil {
		return nil, err
	}
	c.signature("GCOL")
	c.version(1)
	c.skip(3)
	size := f.length(c)
	if c.err == nil && size < uint64(head) {
		c.fail("expected at least %d bytes, got %d", head, size)
	}
	if c.err != nil {
		return nil, c.err
	}
	if c, err = h.quota.block(address, size, "global heap"); err != nil {
		return nil, err
	}
	c.skip(head)
	objects := map[int][]byte{}
	for c.left() >= head {
		i := c.u16()
		c.skip(6)
		n := f.length(c)
		c.skip(head - 8 - f.super.lengthLen)
		if i == 0 { // free space up to the end
			break
		}
		if n > uint64(c.left()) {
			c.fail("object %d: expected %d bytes, got %d", i, n, c.left())
			break
		}
		objects[i] = c.bytes(int(n))
		if pad := int(-n & 7); pad <= c.left() {
			c.skip(pad)
		}
	}
	return objects, c.err
}
