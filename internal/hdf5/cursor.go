package hdf5

import (
	"encoding/binary"
	"fmt"
)

// undefined is the address that represents "none" in files with addresses of 8 bytes;
// shorter addresses are widened to it.
const undefined = ^uint64(0)

// cursor parses little-endian fields from a block of metadata. The first field beyond
// its end sets err, after which all fields are read as zero, so callers check once at
// the end.
type cursor struct {
	b    []byte
	pos  int
	what string // for messages: "object header at 0x60"
	err  error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %s", c.what, fmt.Sprintf(format, args...))
	}
}

// left returns the number of bytes not yet read.
func (c *cursor) left() int { return len(c.b) - c.pos }

// bytes returns the next n bytes, sharing the block.
func (c *cursor) bytes(n int) []byte {
	if c.err == nil && (n < 0 || n > c.left()) {
		c.fail("expected %d more bytes, got %d", n, c.left())
	}
	if c.err != nil {
		return nil
	}
	out := c.b[c.pos : c.pos+n]
	c.pos += n
	return out
}

func (c *cursor) skip(n int) { c.bytes(n) }

// uint reads an unsigned number of 0 to 8 bytes.
func (c *cursor) uint(n int) uint64 {
	if n > 8 {
		c.fail("expected a number of at most 8 bytes, got %d", n)
	}
	var v uint64
	for i, b := range c.bytes(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (c *cursor) u8() int { return int(c.uint(1)) }

func (c *cursor) u16() int {
	if b := c.bytes(2); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// signature reads the four letters at the start of a structure.
func (c *cursor) signature(want string) {
	if got := c.bytes(4); c.err == nil && string(got) != want {
		c.fail("expected the signature %q, got %q", want, got)
	}
}

// version reads a version number and checks that it is allowed.
func (c *cursor) version(allowed ...int) int {
	v := c.u8()
	for _, a := range allowed {
		if v == a {
			return v
		}
	}
	c.fail("expected version %v, got %d", allowed, v)
	return v
}

// text reads a string that ends with a zero byte, or n bytes without one.
func (c *cursor) text(n int) string {
	b := c.bytes(n)
	for i, x := range b {
		if x == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// zeroTerminated reads up to and including the next zero byte.
func (c *cursor) zeroTerminated() string {
	if c.err != nil {
		return ""
	}
	for i, x := range c.b[c.pos:] {
		if x == 0 {
			s := string(c.b[c.pos : c.pos+i])
			c.pos += i + 1
			return s
		}
	}
	c.fail("expected a zero byte after the name")
	return ""
}
