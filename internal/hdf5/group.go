package hdf5

import (
	"fmt"
	"slices"
	"strings"
)

type linkKind int

const (
	hardLink linkKind = iota
	softLink
	otherLink // to another file, or of a kind that a program defined
)

// link is a member of a group.
type link struct {
	name    string
	kind    linkKind
	address uint64 // of a hard link: the object header
	target  string // of a soft link: a path
}

func lookup(list []link, name string) (link, bool) {
	i, ok := slices.BinarySearchFunc(list, name, func(l link, name string) int { return strings.Compare(l.name, name) })
	if !ok {
		return link{}, false
	}
	return list[i], true
}

// group lists the members of the group at an address, sorted by name.
func (f *File) group(address uint64) ([]link, error) {
	f.mu.Lock()
	list, ok := f.groups[address]
	f.mu.Unlock()
	if ok {
		return list, nil
	}
	list, err := f.readGroup(address)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b link) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(list); i++ {
		if list[i].name == list[i-1].name {
			return nil, fmt.Errorf("group at %#x: two members are called %q", address, list[i].name)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[address] = list
	return list, nil
}

func (f *File) readGroup(address uint64) ([]link, error) {
	o, err := f.object(address)
	if err != nil {
		return nil, err
	}
	if !o.isGroup() {
		return nil, fmt.Errorf("the object at %#x is not a group", address)
	}
	var list []link
	for _, m := range o.messages {
		switch m.kind {
		case msgSymbolTable:
			c := o.cursor(m, "symbol table")
			tree, heap := f.address(c), f.address(c)
			if c.err != nil {
				return nil, c.err
			}
			more, err := f.symbols(tree, heap)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		case msgLink:
			c := o.cursor(m, "link")
			list = append(list, f.parseLink(c))
			if c.err != nil {
				return nil, c.err
			}
		case msgLinkInfo:
			more, err := f.denseLinks(o, m)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	return list, nil
}

// parseLink parses a link message.
func (f *File) parseLink(c *cursor) link {
	c.version(1)
	flags := c.u8()
	var l link
	kind := 0
	if flags&8 != 0 {
		kind = c.u8()
	}
	if flags&4 != 0 {
		c.skip(8) // creation order
	}
	if flags&16 != 0 {
		c.skip(1) // character set
	}
	n := c.uint(1 << (flags & 3))
	if n == 0 || n > uint64(c.left()) {
		c.fail("link: expected a name of 1 to %d bytes, got %d", c.left(), n)
		return l
	}
	l.name = string(c.bytes(int(n)))
	switch kind {
	case 0:
		l.kind, l.address = hardLink, f.address(c)
	case 1:
		l.kind, l.target = softLink, string(c.bytes(c.u16()))
	default:
		l.kind = otherLink
	}
	return l
}

// denseLinks lists the links that a link info message points to.
func (f *File) denseLinks(o *object, m message) ([]link, error) {
	c := o.cursor(m, "link info")
	c.version(0)
	if flags := c.u8(); flags&1 != 0 {
		c.skip(8) // largest creation order
	}
	heap, tree := f.address(c), f.address(c)
	if c.err != nil || heap == undefined || tree == undefined {
		return nil, c.err
	}
	var list []link
	err := f.denseMessages(heap, tree, recordLinkName, func(c *cursor) { list = append(list, f.parseLink(c)) })
	return list, err
}

// symbols lists the members of an old group.
func (f *File) symbols(tree, heap uint64) ([]link, error) {
	names, err := f.localHeap(heap)
	if err != nil {
		return nil, err
	}
	w := treeWalk{f: f, kind: groupTree, seen: map[uint64]bool{}}
	var list []link
	err = w.walk(tree, -1, func(_ *cursor, node uint64) error {
		more, err := f.symbolNode(node, names)
		list = append(list, more...)
		return err
	})
	return list, err
}

// symbolNode parses a leaf of an old group.
func (f *File) symbolNode(address uint64, names []byte) ([]link, error) {
	c, err := f.block(address, 8, "symbol node")
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
	if c, err = f.block(address+8, uint64(n*size), "symbol node"); err != nil {
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

// symbol parses one entry of a symbol node. Its cache type 2 marks a soft
// link, whose path lies in the heap of names.
func (f *File) symbol(c *cursor, names []byte) (link, error) {
	nameAt, address, cache := c.uint(f.super.offsetLen), f.address(c), c.u32()
	c.skip(4)
	scratch := c.bytes(16)
	if c.err != nil {
		return link{}, c.err
	}
	text := func(at uint64) (string, error) {
		if at >= uint64(len(names)) {
			return "", fmt.Errorf("%s: expected a name within the heap of %d bytes, got offset %d", c.what, len(names), at)
		}
		h := &cursor{b: names[at:], what: c.what}
		s := h.zeroTerminated()
		return s, h.err
	}
	name, err := text(nameAt)
	if err != nil {
		return link{}, err
	}
	if cache != 2 {
		return link{name: name, address: address}, nil
	}
	target, err := text((&cursor{b: scratch}).uint(4))
	return link{name: name, kind: softLink, target: target}, err
}
