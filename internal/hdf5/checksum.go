package hdf5

import (
	"encoding/binary"
	"math/bits"
)

// checksum is Bob Jenkins' lookup3 hash with initial value 0, which guards the
// metadata of the newer structures.
func checksum(b []byte) uint32 {
	a := 0xdeadbeef + uint32(len(b))
	x, y := a, a
	for len(b) > 12 {
		a += binary.LittleEndian.Uint32(b)
		x += binary.LittleEndian.Uint32(b[4:])
		y += binary.LittleEndian.Uint32(b[8:])
		a, x, y = mix(a, x, y)
		b = b[12:]
	}
	if len(b) == 0 {
		return y
	}
	var last [12]byte
	copy(last[:], b)
	a += binary.LittleEndian.Uint32(last[:])
	x += binary.LittleEndian.Uint32(last[4:])
	y += binary.LittleEndian.Uint32(last[8:])
	return final(a, x, y)
}

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	a, c = (a-c)^bits.RotateLeft32(c, 4), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 6), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 8), b+a
	a, c = (a-c)^bits.RotateLeft32(c, 16), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 19), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 4), b+a
	return a, b, c
}

func final(a, b, c uint32) uint32 {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}

// fletcher32 is the checksum of the filter of this name: sums of big-endian
// words of 16 bits, an odd last byte being the high half of a word.
func fletcher32(b []byte) uint32 {
	var s1, s2 uint32
	for len(b) > 1 {
		n := min(len(b)/2, 360)
		for ; n > 0; n-- {
			s1 += uint32(b[0])<<8 | uint32(b[1])
			s2 += s1
			b = b[2:]
		}
		s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	}
	if len(b) == 1 {
		s1 += uint32(b[0]) << 8
		s2 += s1
		s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	}
	s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	return s2<<16 | s1
}
