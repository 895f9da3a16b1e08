package hdf5

import "fmt"

// The two kinds of version 1 B-trees.
const (
	groupTree = 0
	chunkTree = 1
)

// treeWalk visits the leaves of a B-tree of version 1.
type treeWalk struct {
	quota *quota
	kind  int
	rank  int // chunkTree: axes of the dataset
	seen  map[uint64]bool
}

// keySize returns the bytes of a key.
func (w *treeWalk) keySize() int {
	if w.kind == groupTree {
		return w.quota.f.super.lengthLen
	}
	return 8 + 8*(w.rank+1)
}

// walk visits the node at an address, whose level must be the given one; -1 means any.
// visit receives a cursor on the key before a leaf's child and the child.
func (w *treeWalk) walk(address uint64, level int, visit func(key *cursor, child uint64) error) error {
	c, own, n, err := w.node(address, level)
	if err != nil {
		return err
	}
	for range n {
		key := &cursor{b: c.bytes(w.keySize()), what: c.what}
		child := w.quota.f.address(c)
		if c.err != nil {
			return c.err
		}
		if own > 0 {
			err = w.walk(child, own-1, visit)
		} else {
			err = visit(key, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// node reads the node at an address. It returns a cursor on its keys and children, its
// level and the number of children.
func (w *treeWalk) node(address uint64, level int) (c *cursor, own, n int, err error) {
	if w.seen[address] {
		return nil, 0, 0, fmt.Errorf("the B-tree node at %#x: is its own descendant", address)
	}
	w.seen[address] = true
	f := w.quota.f
	head := uint64(8 + 2*f.super.offsetLen)
	c, err = w.quota.block(address, head, "B-tree node")
	if err != nil {
		return nil, 0, 0, err
	}
	c.signature("TREE")
	if kind := c.u8(); c.err == nil && kind != w.kind {
		c.fail("expected node type %d, got %d", w.kind, kind)
	}
	own, n = c.u8(), c.u16()
	if c.err == nil && level >= 0 && own != level {
		c.fail("expected level %d, got %d", level, own)
	}
	if c.err != nil {
		return nil, 0, 0, c.err
	}
	size := uint64(n*(w.keySize()+f.super.offsetLen) + w.keySize())
	c, err = w.quota.block(address+head, size, "B-tree node")
	return c, own, n, err
}
