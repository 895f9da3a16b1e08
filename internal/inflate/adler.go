package inflate

import "encoding/binary"

// checksum returns the Adler-32 checksum. It adds eight bytes at a time in lanes of 16
// bits, which takes less than half the time of [hash/adler32.Checksum].
func checksum(b []byte) uint32 {
	const (
		modulus = 65521
		// Bytes per group: in 22 words 255·22·21/2 fits a lane.
		size = 8 * 22
		mask = 0x00ff00ff00ff00ff
	)
	s1, s2 := uint64(1), uint64(0)
	for len(b) >= size {
		// Both sums fit 64 bits over this many groups without the modulus.
		for range min(len(b)/size, 1<<12) {
			// Per lane the sum of the bytes, and the sum of that sum before each word.
			var even, odd, evens, odds uint64
			group := (*[size]byte)(b)
			for i := 0; i < size; i += 16 {
				x, y := binary.LittleEndian.Uint64(group[i:]), binary.LittleEndian.Uint64(group[i+8:])
				evens += even
				odds += odd
				even += x & mask
				odd += x >> 8 & mask
				evens += even
				odds += odd
				even += y & mask
				odd += y >> 8 & mask
			}
			e0, e1, e2, e3 := lanes(even)
			o0, o1, o2, o3 := lanes(odd)
			v0, v1, v2, v3 := lanes(evens)
			w0, w1, w2, w3 := lanes(odds)
			s2 += size*s1 + 8*(v0+v1+v2+v3+w0+w1+w2+w3+e0) + 7*o0 + 6*e1 + 5*o1 + 4*e2 + 3*o2 + 2*e3 + o3
			s1 += e0 + e1 + e2 + e3 + o0 + o1 + o2 + o3
			b = b[size:]
		}
		s1 %= modulus
		s2 %= modulus
	}
	for _, x := range b {
		s1 += uint64(x)
		s2 += s1
	}
	return uint32(s2%modulus<<16 | s1%modulus)
}

// lanes returns the four lanes of a word, the lowest first.
func lanes(x uint64) (a, b, c, d uint64) {
	return x & 0xffff, x >> 16 & 0xffff, x >> 32 & 0xffff, x >> 48
}
