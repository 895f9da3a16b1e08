package hdf5

import "fmt"

// symbols lists the members of an old group.
func (f *File) symbols(tree, heap uint64) ([]link, error) {
	names, err := f.localHeap(heap)
	if err != nil {
		return nil, err
	}
	h := &nameHeap{names: names, left: len(names)}
	w := treeWalk{quota: &quota{f: f}, kind: groupTree, seen: map[uint64]bool{}}
	var list []link
	err = w.walk(tree, -1, func(_ *cursor, node uint64) error {
		more, err := w.symbolNode(node, h)
		list = append(list, more...)
		return err
	})
	return list, err
}

// nameHeap is the local heap of an old group. Each name in it belongs to one
// member.
type nameHeap struct {
	names []byte
	left  int // bytes that may still be used
}

// text returns the string at an offset.
func (h *nameHeap) text(at uint64, what string) (string, error) {
	if at >= uint64(len(h.names)) {
		return "", fmt.Errorf("%s: expected a name within the heap of %d bytes, got offset %d", what, len(h.names), at)
	}
	c := &cursor{b: h.names[at:], what: what}
	s := c.zeroTerminated()
	if h.left -= c.pos; h.left < 0 {
		c.fail("names overlap: together they have more bytes than their heap")
	}
	return s, c.err
}

// symbolNode parses a leaf of an old group.
func (w *treeWalk) symbolNode(address uint64, names *nameHeap) ([]link, error) {
	f := w.quota.f
	c, err := w.quota.block(address, 8, "symbol node")
	if err != nil {
		return nil, err
	}
	c.signature("SNOD")
	c.version(1)
	c.skip(1)
	n := c.u16()
	if c.err != nil {
		return nil, c.err
	}
	size := 2*f.super.offsetLen + 24
	if c, err = w.quota.block(address+8, uint64(n*size), "symbol node"); err != nil {
		return nil, err
	}
	list := make([]link, 0, n)
	for range n {
		l, err := f.symbol(c, names)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, c.err
}

// symbol parses one entry of a symbol node. Its cache type 2 marks a soft link, whose
// path is in the heap of names.
func (f *File) symbol(c *cursor, names *nameHeap) (link, error) {
	nameAt, address, cache := c.uint(f.super.offsetLen), f.address(c), c.u32()
	c.skip(4)
	scratch := c.bytes(16)
	if c.err != nil {
		return link{}, c.err
	}
	name, err := names.text(nameAt, c.what)
	if err != nil {
		return link{}, err
	}
	if cache != 2 {
		return link{name: name, address: address}, nil
	}
	target, err := names.text((&cursor{b: scratch}).uint(4), c.what)
	return link{name: name, kind: softLink, target: target}, err
}
