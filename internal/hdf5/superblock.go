package hdf5

import (
	"bytes"
	"fmt"
)

// signature is the start of every HDF5 file, at offset 0, 512, 1024, 2048, ….
const signature = "\x89HDF\r\n\x1a\n"

// superblock holds the parameters of a whole file.
type superblock struct {
	version   int
	offsetLen int    // bytes of an address
	lengthLen int    // bytes of a length
	base      uint64 // added to every address
	root      uint64 // object header of the root group
}

// readSuperblock finds and parses the superblock.
func (f *File) readSuperblock() error {
	at, err := f.findSignature()
	if err != nil {
		return err
	}
	b, err := f.readUpTo(at, 2*64)
	if err != nil {
		return err
	}
	c := &cursor{b: b, what: "superblock"}
	c.skip(len(signature))
	var end uint64
	switch f.super.version = c.version(0, 1, 2, 3); f.super.version {
	case 0, 1:
		end = f.parseOldSuperblock(c)
	default:
		end = f.parseNewSuperblock(c)
	}
	if c.err != nil {
		return c.err
	}
	if f.super.base > at {
		return fmt.Errorf("superblock at %#x: expected a base address up to there, got %#x", at, f.super.base)
	}
	// Other bytes precede the file. Like the library, count addresses from the position
	// of the superblock.
	if end != undefined {
		end += at - f.super.base
	}
	f.super.base = at
	if end == undefined || end > uint64(f.size) {
		return fmt.Errorf("truncated: the superblock says that the file ends at byte %d, it ends at %d", end, f.size)
	}
	return nil
}

func (f *File) findSignature() (uint64, error) {
	for at := uint64(0); at+uint64(len(signature)) <= uint64(f.size); at = max(512, 2*at) {
		b, err := f.readUpTo(at, len(signature))
		if err != nil {
			return 0, err
		}
		if bytes.Equal(b, []byte(signature)) {
			return at, nil
		}
	}
	return 0, fmt.Errorf("not an HDF5 file: the signature is missing")
}

// parseOldSuperblock parses versions 0 and 1 after the version number and
// returns the address of the end of the file.
func (f *File) parseOldSuperblock(c *cursor) (end uint64) {
	s := &f.super
	c.skip(4) // versions of other structures
	s.offsetLen, s.lengthLen = c.u8(), c.u8()
	f.checkSizes(c)
	c.skip(1 + 2 + 2 + 4) // reserved, group node sizes, flags
	if s.version == 1 {
		c.skip(4) // chunk node size
	}
	s.base = c.uint(s.offsetLen)
	c.skip(s.offsetLen) // free space
	end = f.address(c)
	c.skip(s.offsetLen) // driver information
	c.skip(s.offsetLen) // name of the root group
	s.root = f.address(c)
	return end
}

// parseNewSuperblock does the same for versions 2 and 3.
func (f *File) parseNewSuperblock(c *cursor) (end uint64) {
	s := &f.super
	s.offsetLen, s.lengthLen = c.u8(), c.u8()
	f.checkSizes(c)
	c.skip(1) // flags
	s.base = c.uint(s.offsetLen)
	c.skip(s.offsetLen) // extension
	end = f.address(c)
	s.root = f.address(c)
	f.verify(c)
	return end
}

func (f *File) checkSizes(c *cursor) {
	for _, n := range []int{f.super.offsetLen, f.super.lengthLen} {
		if n != 2 && n != 4 && n != 8 {
			c.fail("expected addresses and lengths of 2, 4 or 8 bytes, got %d and %d", f.super.offsetLen, f.super.lengthLen)
		}
	}
}

// address reads an address; "none" becomes undefined.
func (f *File) address(c *cursor) uint64 {
	v := c.uint(f.super.offsetLen)
	if n := f.super.offsetLen; n > 0 && n < 8 && v == 1<<(8*n)-1 {
		return undefined
	}
	return v
}

// length reads a length.
func (f *File) length(c *cursor) uint64 { return c.uint(f.super.lengthLen) }

// verify reads the checksum and compares it with that of all bytes before it.
func (f *File) verify(c *cursor) {
	if c.err != nil {
		return
	}
	want := checksum(c.b[:c.pos])
	if got := c.u32(); c.err == nil && got != want && !f.anyChecksum {
		c.fail("checksum: expected %#08x, got %#08x: the file is damaged here", got, want)
	}
}
