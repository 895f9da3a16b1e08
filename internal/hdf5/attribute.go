package hdf5

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// attribute is a named value of an object, not yet decoded: an attribute of an
// unsupported type must not hide the others.
type attribute struct {
	name string
	// the type, or the error of parsing it
	typ   datatype
	space dataspace
	err   error
	data  []byte
}

// Attributes lists the names of an object's attributes, sorted.
func (f *File) Attributes(path string) ([]string, error) {
	list, err := f.attributesAt(path)
	if err != nil {
		return nil, f.wrap(path, err)
	}
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.name
	}
	return names, nil
}

// Attribute reads one attribute; see driver.File.
func (f *File) Attribute(path, name string) (any, error) {
	list, err := f.attributesAt(path)
	if err != nil {
		return nil, f.wrap(path, err)
	}
	for _, a := range list {
		if a.name == name {
			v, err := f.value(a)
			if err != nil {
				return nil, f.wrap(path, fmt.Errorf("attribute %q: %w", name, err))
			}
			return v, nil
		}
	}
	return nil, f.wrap(path, fmt.Errorf("attribute %q: %w", name, driver.ErrNotFound))
}

func (f *File) attributesAt(path string) ([]attribute, error) {
	at, err := f.find(path)
	if err != nil {
		return nil, err
	}
	o, err := f.object(at)
	if err != nil {
		return nil, err
	}
	return f.attributes(o)
}

// attributes lists the attributes of an object, sorted by name.
func (f *File) attributes(o *object) ([]attribute, error) {
	var list []attribute
	for _, m := range o.messages {
		switch {
		case m.kind == msgAttribute && m.shared():
			return nil, fmt.Errorf("the object at %#x has a shared attribute, which is not supported", o.address)
		case m.kind == msgAttribute:
			c := o.cursor(m, "attribute")
			list = append(list, f.parseAttribute(o, c))
			if c.err != nil {
				return nil, c.err
			}
		case m.kind == msgAttributeInfo:
			c := o.cursor(m, "attribute info")
			c.version(0)
			if flags := c.u8(); flags&1 != 0 {
				c.skip(2) // largest creation order
			}
			heap, tree := f.address(c), f.address(c)
			if c.err != nil {
				return nil, c.err
			}
			if heap == undefined || tree == undefined {
				continue
			}
			err := f.denseMessages(heap, tree, recordAttributeName, func(c *cursor) { list = append(list, f.parseAttribute(o, c)) })
			if err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(list, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// parseAttribute parses an attribute message. A type or shape that cannot be
// parsed is kept as the attribute's error.
func (f *File) parseAttribute(o *object, c *cursor) attribute {
	version := c.version(1, 2, 3)
	flags := c.u8()
	nameLen, typeLen, spaceLen := c.u16(), c.u16(), c.u16()
	if version == 3 {
		c.skip(1) // character set
	}
	part := func(n int) []byte {
		b := c.bytes(n)
		if r := n % 8; version == 1 && r != 0 {
			c.skip(8 - r)
		}
		return b
	}
	a := attribute{name: (&cursor{b: part(nameLen)}).text(nameLen)}
	typ := message{kind: msgDatatype, data: part(typeLen), flags: flags << 1 & 2}
	space := &cursor{b: part(spaceLen), what: "attribute"}
	if c.err != nil {
		return a
	}
	a.data = c.bytes(c.left())
	if version > 1 && typ.shared() {
		if typ, a.err = f.sharedMessage(o, typ); a.err != nil {
			return a
		}
	}
	t := &cursor{b: typ.data, what: "attribute"}
	if a.typ, a.err = parseDatatype(t, 0), t.err; a.err != nil {
		return a
	}
	a.space = f.parseDataspace(space)
	if a.err = space.err; a.err == nil && a.space.count() > len(a.data)/a.typ.size {
		a.err = fmt.Errorf("expected %d elements of %d bytes, got %d bytes", a.space.count(), a.typ.size, len(a.data))
	}
	return a
}
