package hdf5

import "fmt"

// The two kinds of version 1 B-trees.
const (
	groupTree = 0
	chunkTree = 1
)

// treeWalk visits the leaves of a B-tree of version 1.
type treeWalk struct {
	f    *File
	kind int
	rank int // chunkTree: axes of the dataset
	seen map[uint64]bool
}

// keySize returns the bytes of a key.
func (w *treeWalk) keySize() int {
	if w.kind == groupTree {
		return w.f.super.lengthLen
	}
	return 8 + 8*(w.rank+1)
}

// walk visits the node at an address, whose level must be the given one; -1
// stands for any. visit gets a cursor on the key before a leaf's child and the
// child.
func (w *treeWalk) walk(address uint64, level int, visit func(key *cursor, child uint64) error) error {
	if w.seen[address] {
		return fmt.Errorf("the B-tree node at %#x: is its own descendant", address)
	}
	w.seen[address] = true
	f := w.f
	c, err := f.block(address, uint64(8+2*f.super.offsetLen), "B-tree node")
	if err != nil {
		return err
	}
	c.signature("TREE")
	if kind := c.u8(); c.err == nil && kind != w.kind {
		c.fail("expected node type %d, got %d", w.kind, kind)
	}
	own, n := c.u8(), c.u16()
	if c.err == nil && level >= 0 && own != level {
		c.fail("expected level %d, got %d", level, own)
	}
	if c.err != nil {
		return c.err
	}
	begin := uint64(c.pos + 2*f.super.offsetLen)
	size := uint64(n*(w.keySize()+f.super.offsetLen) + w.keySize())
	if c, err = f.block(address+begin, size, "B-tree node"); err != nil {
		return err
	}
	for range n {
		key := &cursor{b: c.bytes(w.keySize()), what: c.what}
		child := f.address(c)
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
