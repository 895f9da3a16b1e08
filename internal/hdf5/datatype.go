package hdf5

import (
	"bytes"
	"fmt"
)

// class is the class of a datatype.
type class int

const (
	classInt       class = 0
	classFloat     class = 1
	classTime      class = 2
	classString    class = 3
	classBits      class = 4
	classOpaque    class = 5
	classCompound  class = 6
	classReference class = 7
	classEnum      class = 8
	classVariable  class = 9
	classArray     class = 10
	classComplex   class = 11
)

var classNames = map[class]string{
	classInt: "integer", classFloat: "float", classTime: "time", classString: "string", classBits: "bit field",
	classOpaque: "opaque", classCompound: "compound", classReference: "reference", classEnum: "enumeration",
	classVariable: "variable-length sequence", classArray: "array", classComplex: "complex number",
}

// padding is the padding of strings that are shorter than their type.
type padding int

const (
	padTerminated padding = 0 // bytes after the first zero byte are ignored
	padZeros      padding = 1
	padSpaces     padding = 2
)

// trim removes the padding of a string of fixed length.
func (p padding) trim(b []byte) string {
	switch p {
	case padZeros:
		return string(bytes.TrimRight(b, "\x00"))
	case padSpaces:
		return string(bytes.TrimRight(b, " "))
	}
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// datatype describes an element.
type datatype struct {
	class class
	size  int // bytes of an element
	big   bool
	// signed applies to integers; enumerations copy it from their base type.
	signed bool
	// text marks a variable-length string, bool an enumeration of FALSE and TRUE.
	text, bool bool
	padding    padding // of strings of fixed length
	// odd says why Go has no such number type, "" for supported ones.
	odd string
}

// maxElement bounds the size of one element.
const maxElement = 1 << 20

// String returns the short name of driver.Dataset.Type.
func (t datatype) String() string {
	name, ok := classNames[t.class]
	if !ok {
		name = fmt.Sprintf("type of class %d", t.class)
	}
	switch t.class {
	case classInt:
		name = fmt.Sprintf("int%d", 8*t.size)
		if !t.signed {
			name = "u" + name
		}
	case classFloat:
		name = fmt.Sprintf("float%d", 8*t.size)
	case classEnum:
		if t.bool {
			return "bool"
		}
	case classVariable:
		if t.text {
			return "string"
		}
	}
	if t.odd != "" {
		return name + " (" + t.odd + ")"
	}
	if t.big && t.size > 1 {
		name += " big-endian"
	}
	return name
}

// number returns an error unless elements convert to floats.
func (t datatype) number() error {
	ok := t.odd == ""
	switch t.class {
	case classInt, classEnum:
		ok = ok && (t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8)
	case classFloat:
		ok = ok && (t.size == 2 || t.size == 4 || t.size == 8)
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("expected integers or floats of 8 to 64 bits, got the type %s", t)
	}
	return nil
}

// parseDatatype parses a datatype message; depth bounds nested types.
func parseDatatype(c *cursor, depth int) datatype {
	if depth > 8 {
		c.fail("expected at most 8 nested types")
		return datatype{}
	}
	head := c.u8()
	t, version := datatype{class: class(head & 15)}, head>>4
	if version < 1 || version > 5 {
		c.fail("datatype: expected version 1 to 5, got %d", version)
	}
	flags := c.uint(3)
	size := c.u32()
	if size > maxElement {
		c.fail("datatype: expected elements of at most %d bytes, got %d", maxElement, size)
	}
	t.size = int(size)
	switch t.class {
	case classInt:
		t.big, t.signed = flags&1 != 0, flags&8 != 0
		parseIntProperties(c, &t)
	case classFloat:
		t.big = flags&1 != 0
		parseFloatProperties(c, &t, flags)
	case classEnum:
		parseEnum(c, &t, int(flags&0xffff), version, depth)
	case classString:
		t.padding = padding(flags & 15)
	case classVariable:
		t.text = flags&15 == 1
	}
	if t.size == 0 && c.err == nil {
		c.fail("datatype: expected a positive size")
	}
	return t
}

func parseIntProperties(c *cursor, t *datatype) {
	offset, precision := c.u16(), c.u16()
	if c.err == nil && (offset != 0 || precision != 8*t.size) {
		t.odd = fmt.Sprintf("%d bits at bit %d", precision, offset)
	}
}

// parseFloatProperties accepts the IEEE formats of 16, 32 and 64 bits.
func parseFloatProperties(c *cursor, t *datatype, flags uint64) {
	type format struct{ offset, precision, expAt, expLen, manAt, manLen, bias, sign int }
	got := format{offset: c.u16(), precision: c.u16(), expAt: c.u8(), expLen: c.u8(), manAt: c.u8(), manLen: c.u8()}
	got.bias, got.sign = int(c.u32()), int(flags>>8&0xff)
	ieee := map[int]format{
		2: {0, 16, 10, 5, 0, 10, 15, 15},
		4: {0, 32, 23, 8, 0, 23, 127, 31},
		8: {0, 64, 52, 11, 0, 52, 1023, 63},
	}
	normalised := flags>>4&3 == 2
	if want, ok := ieee[t.size]; c.err == nil && (!ok || got != want || !normalised || flags&0x40 != 0) {
		t.odd = fmt.Sprintf("not IEEE: exponent %d bits, mantissa %d bits", got.expLen, got.manLen)
	}
}

// parseEnum copies the representation from the base type and checks whether the members
// are those of a bool.
func parseEnum(c *cursor, t *datatype, members, version, depth int) {
	base := parseDatatype(c, depth+1)
	if c.err == nil && (base.class != classInt || base.size != t.size) {
		c.fail("enumeration: expected integers of %d bytes, got %s", t.size, base)
	}
	t.big, t.signed, t.odd = base.big, base.signed, base.odd
	var names []string
	for range members {
		if c.err != nil {
			return
		}
		start := c.pos
		name := c.zeroTerminated()
		if r := (c.pos - start) % 8; version < 3 && r != 0 {
			c.skip(8 - r)
		}
		names = append(names, name)
	}
	values := c.bytes(members * t.size)
	t.bool = c.err == nil && t.size == 1 && members == 2 && names[0] == "FALSE" && names[1] == "TRUE" && values[0] == 0 && values[1] == 1
}

// datatypeOf returns the datatype of an object.
func (f *File) datatypeOf(o *object) (datatype, error) {
	m, ok, err := f.message(o, msgDatatype)
	if err == nil && !ok {
		err = fmt.Errorf("the object at %#x has no datatype", o.address)
	}
	if err != nil {
		return datatype{}, err
	}
	c := o.cursor(m, "datatype")
	t := parseDatatype(c, 0)
	return t, c.err
}
