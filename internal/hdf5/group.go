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

// group lists the members of the group at an address, sorted by name. Like objects,
// groups are read once.
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
	size := uint64(0)
	for _, l := range list {
		size += uint64(len(l.name) + len(l.target) + f.super.offsetLen)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.groups[address]; !ok && f.kept.take(size) == nil {
		f.groups[address] = list
	}
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
