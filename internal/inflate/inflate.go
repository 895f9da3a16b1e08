// Package inflate decompresses zlib streams (RFC 1950 and 1951) whose decompressed size is
// known beforehand, such as the chunks of HDF5 files. The whole output is the window that
// back references point into, so nothing is copied a second time, and the codes are decoded
// by tables of up to 11 bits from a buffer of 64.
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errShort says that the stream ends before its last block or its checksum.
var errShort = errors.New("the stream breaks off")

// Decoder holds the tables of the codes. The zero value is ready; a Decoder is not safe for
// concurrent use.
type Decoder struct {
	lengths   [maxLiterals + maxDistances]uint8
	literals  [literalTable]uint32
	distances [distanceTable]uint32
	precode   [1 << precodeBits]uint32
	// fixed says that the tables hold the fixed codes of RFC 1951, section 3.2.6.
	fixed bool
}

// Zlib decompresses the stream at the start of src into dst and returns the number of
// bytes written. It checks the stream's checksum, and fails if the stream holds more than
// len(dst) bytes. Bytes after the stream are ignored. The content of dst beyond the
// returned number is undefined.
func (d *Decoder) Zlib(dst, src []byte) (int, error) {
	if len(src) < 2 {
		return 0, errShort
	}
	header := binary.BigEndian.Uint16(src)
	if method := header >> 8; method&0x0f != 8 || method>>4 > 7 || header%31 != 0 {
		return 0, fmt.Errorf("expected the header of a zlib stream, got %#04x", header)
	}
	if header&0x20 != 0 {
		return 0, errors.New("expected a stream without a preset dictionary")
	}
	s := stream{in: src, at: 2, out: dst}
	if err := d.blocks(&s); err != nil {
		return 0, err
	}
	s.at -= s.count / 8 // whole bytes that were read ahead
	if s.at < 0 || s.at+4 > len(src) {
		return 0, errShort
	}
	if expected, got := binary.BigEndian.Uint32(src[s.at:]), checksum(dst[:s.n]); expected != got {
		return 0, fmt.Errorf("checksum: expected %#08x, got %#08x", expected, got)
	}
	return s.n, nil
}

// stream is the state of decoding.
type stream struct {
	in  []byte
	at  int // next byte of in
	out []byte
	n   int // bytes written to out

	// bits holds count bits that are not used yet, the next one lowest. Bits above them are
	// zero, or those that the next refill brings again.
	bits  uint64
	count int
}

// need makes sure of n bits, at most 32.
func (s *stream) need(n int) error {
	for s.count < n {
		if s.at >= len(s.in) {
			return errShort
		}
		s.bits |= uint64(s.in[s.at]) << s.count
		s.at++
		s.count += 8
	}
	return nil
}

// take returns the next n bits, at most 32.
func (s *stream) take(n int) (int, error) {
	if err := s.need(n); err != nil {
		return 0, err
	}
	v := s.bits & (1<<n - 1)
	s.bits >>= n
	s.count -= n
	return int(v), nil
}

// blocks decodes all blocks.
func (d *Decoder) blocks(s *stream) error {
	for {
		head, err := s.take(3)
		if err != nil {
			return err
		}
		switch head >> 1 {
		case 0:
			err = s.stored()
		case 1:
			if !d.fixed {
				d.setFixed()
			}
			err = d.coded(s)
		case 2:
			if err = d.readCodes(s); err == nil {
				err = d.coded(s)
			}
		default:
			err = errors.New("expected a block of type 0, 1 or 2, got 3")
		}
		if err != nil {
			return err
		}
		if head&1 != 0 {
			return nil
		}
	}
}

// stored copies a block without compression.
func (s *stream) stored() error {
	s.bits >>= s.count % 8
	s.count -= s.count % 8
	sizes, err := s.take(32)
	if err != nil {
		return err
	}
	n := sizes & 0xffff
	if sizes>>16 != n^0xffff {
		return fmt.Errorf("expected the complement %#04x of a block's size, got %#04x", n^0xffff, sizes>>16)
	}
	s.at -= s.count / 8
	s.bits, s.count = 0, 0
	switch {
	case n > len(s.in)-s.at:
		return errShort
	case n > len(s.out)-s.n:
		return s.full()
	}
	copy(s.out[s.n:], s.in[s.at:s.at+n])
	s.at += n
	s.n += n
	return nil
}

// full says that the stream holds more than out.
func (s *stream) full() error {
	return fmt.Errorf("expected at most %d bytes, got more", len(s.out))
}

// Room that one round of fast needs: in the input two refills; in the output five literals,
// the longest match and what its words write beyond it.
const (
	roomIn  = 16
	roomOut = 5 + 8 + 258 + 16
)

// coded decodes the rest of a block with the codes of the tables.
func (d *Decoder) coded(s *stream) error {
	for {
		ended, err := d.fast(s)
		if ended || err != nil {
			return err
		}
		ended, err = d.slow(s)
		if ended || err != nil {
			return err
		}
	}
}

// slow decodes one symbol near an end of the input or the output.
func (d *Decoder) slow(s *stream) (ended bool, err error) {
	e, err := s.symbol(d.literals[:], literalBits)
	if err != nil {
		return false, err
	}
	switch {
	case e&isLiteral != 0:
		if s.n >= len(s.out) {
			return false, s.full()
		}
		s.out[s.n] = byte(e >> 16)
		s.n++
		return false, nil
	case e&isException != 0:
		return e&isEnd != 0, invalid(e)
	}
	length, err := s.value(e)
	if err != nil {
		return false, err
	}
	if e, err = s.symbol(d.distances[:], distanceBits); err != nil {
		return false, err
	}
	if e&isException != 0 {
		return false, invalid(e)
	}
	distance, err := s.value(e)
	if err != nil {
		return false, err
	}
	switch {
	case distance > s.n:
		return false, errDistance
	case length > len(s.out)-s.n:
		return false, s.full()
	}
	for range length {
		s.out[s.n] = s.out[s.n-distance]
		s.n++
	}
	return false, nil
}

var errDistance = errors.New("a reference leads to before the data")

// invalid returns an error unless e ends the block.
func invalid(e uint32) error {
	if e&isEnd != 0 {
		return nil
	}
	return errors.New("got bits that are no code")
}

// symbol decodes a code without the extra bits after it. Near the end of the input fewer
// bits than the longest code may be left, which is an error only if the code needs them.
func (s *stream) symbol(table []uint32, width int) (uint32, error) {
	for s.count < 15 && s.at < len(s.in) {
		_ = s.need(s.count + 1)
	}
	e := table[s.bits&(1<<width-1)]
	if e&isLink != 0 {
		e = table[e>>16+uint32(s.bits>>width)&(1<<(e&0xff)-1)]
	}
	n := int(e >> 8 & 0x1f)
	if n == 0 && e&isException != 0 && s.count < 15 {
		return 0, errShort
	}
	if n > s.count {
		return 0, errShort
	}
	s.bits >>= n
	s.count -= n
	return e, nil
}

// value adds the extra bits to the base of a length or a distance, whose code was taken.
func (s *stream) value(e uint32) (int, error) {
	extra, err := s.take(int(e&0xff) - int(e>>8&0x1f))
	return int(e>>16&0x7fff) + extra, err
}

// fast decodes symbols while there is room on both sides.
func (d *Decoder) fast(s *stream) (ended bool, err error) {
	in, out := s.in, s.out
	at, n := s.at, s.n
	bits, count := s.bits, uint(s.count)
	lastIn, lastOut := len(in)-roomIn, len(out)-roomOut
	for at <= lastIn && n <= lastOut {
		// A refill leaves 56 to 63 bits.
		bits |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
		at += int(63-count) >> 3
		count |= 56

		e := d.literals[bits&(1<<literalBits-1)]
		if e&isLiteral != 0 {
			// The bits suffice for five literals of at most 11 bits.
			last := n + 4
			for {
				bits >>= e & 63
				count -= uint(e & 63)
				out[n] = byte(e >> 16)
				n++
				e = d.literals[bits&(1<<literalBits-1)]
				if e&isLiteral == 0 || n > last {
					break
				}
			}
			if n > last {
				continue
			}
			bits |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
			at += int(63-count) >> 3
			count |= 56
		}
		if e&isException != 0 {
			if e&isLink != 0 {
				e = d.literals[e>>16+uint32(bits>>literalBits)&(1<<(e&31)-1)]
			}
			if e&isLiteral != 0 {
				bits >>= e & 63
				count -= uint(e & 63)
				out[n] = byte(e >> 16)
				n++
				continue
			}
			if e&isException != 0 {
				bits >>= e & 63
				count -= uint(e & 63)
				ended, err = e&isEnd != 0, invalid(e)
				break
			}
		}
		length := int(e>>16&0x7fff) + int(bits&(1<<(e&63)-1)>>(e>>8&31))
		bits >>= e & 63
		count -= uint(e & 63)

		// At least 36 bits are left, a distance needs at most 28.
		e = d.distances[bits&(1<<distanceBits-1)]
		if e&isLink != 0 {
			e = d.distances[e>>16+uint32(bits>>distanceBits)&(1<<(e&31)-1)]
		}
		if e&isException != 0 {
			err = invalid(e)
			break
		}
		distance := int(e>>16&0x7fff) + int(bits&(1<<(e&63)-1)>>(e>>8&31))
		bits >>= e & 63
		count -= uint(e & 63)

		from := n - distance
		if from < 0 {
			err = errDistance
			break
		}
		end := n + length
		if distance < 8 {
			// The data repeat every distance bytes, so after the first eight also every
			// step bytes, where step is a multiple that is at least eight.
			_, _ = out[n+7], out[from]
			for i := range 8 {
				out[n+i] = out[from+i]
			}
			n += 8
			step := distance * ((7 + distance) / distance)
			from = n - step
		}
		// Most matches are short: two words without a branch.
		to, source := out[n:n+16], out[from:from+16]
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(source))
		binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(source[8:]))
		for n += 16; n < end; n += 8 {
			from += 8
			binary.LittleEndian.PutUint64(out[n:], binary.LittleEndian.Uint64(out[from+8:]))
		}
		n = end
	}
	s.at, s.n = at, n
	s.bits, s.count = bits&(1<<count-1), int(count)
	return ended, err
}
