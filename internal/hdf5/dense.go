package hdf5

import "fmt"

// blockCache keeps the blocks of a heap, each read and checked once.
type blockCache struct {
	quota  quota
	blocks map[uint64][]byte
}

func newBlockCache(f *File) *blockCache {
	return &blockCache{quota: quota{f: f}, blocks: map[uint64][]byte{}}
}

// get returns the block of size bytes at an address. It calls check, if not nil, after
// reading it.
func (k *blockCache) get(address, size uint64, what string, check func(c *cursor)) ([]byte, error) {
	b, ok := k.blocks[address]
	if ok && uint64(len(b)) == size {
		return b, nil
	}
	if ok {
		return nil, fmt.Errorf("%s at %#x: expected %d bytes, got a block of %d bytes", what, address, size, len(b))
	}
	c, err := k.quota.block(address, size, what)
	if err != nil {
		return nil, err
	}
	if check != nil {
		check(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	k.blocks[address] = c.b
	return c.b, nil
}

// denseMessages calls visit with every message of a fractal heap that is listed in a
// B-tree of names.
func (f *File) denseMessages(heap, tree uint64, kind int, visit func(c *cursor)) error {
	h, err := f.fractalHeap(heap)
	if err != nil {
		return err
	}
	t, err := (&quota{f: f}).tree2(tree, kind)
	if err != nil {
		return err
	}
	messages := quota{f: f}
	return t.each(func(r *cursor) error {
		if kind == recordLinkName {
			r.skip(4) // hash of the name; the ID follows
		}
		id := r.bytes(h.idLen)
		if kind == recordAttributeName && r.uint(1)&2 != 0 {
			return fmt.Errorf("%s: shared attributes are not supported", r.what)
		}
		if r.err != nil {
			return r.err
		}
		b, err := h.object(id)
		if err == nil {
			err = messages.take(uint64(len(b)))
		}
		if err != nil {
			return err
		}
		c := &cursor{b: b, what: h.what + ": object"}
		visit(c)
		return c.err
	})
}
