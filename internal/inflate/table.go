package inflate

import (
	"errors"
	"math/bits"
)

// Sizes of the tables. The first level takes this many bits of the input; longer codes go
// on in a second level. The totals are the largest that complete codes of these numbers of
// symbols and at most 15 bits need (enough.c of zlib computes them).
const (
	literalBits, literalTable   = 11, 2342
	distanceBits, distanceTable = 8, 402
	precodeBits                 = 7

	maxLiterals, maxDistances = 288, 32
	maxBits                   = 15
)

// Entries of a table:
//
//	literal            isLiteral | byte<<16 | code<<8 | code
//	length, distance   base<<16 | code<<8 | code and extra bits
//	end of the block   isException | isEnd | code<<8 | code
//	second level       isException | isLink | start<<16 | bits of the second level
//	no code            isException
//
// where code is the number of bits of the code. A start is below 2¹³ and a base below 2¹⁵.
const (
	isLiteral   = 1 << 31
	isException = 1 << 15
	isLink      = 1 << 14
	isEnd       = 1 << 13
)

// The extra bits of lengths and distances (RFC 1951, section 3.2.5).
var (
	literalEntries  [maxLiterals]uint32
	distanceEntries [maxDistances]uint32
	precodeEntries  [19]uint32
)

func init() {
	for i := range 256 {
		literalEntries[i] = isLiteral | uint32(i)<<16
	}
	literalEntries[256] = isException | isEnd
	base := uint32(3)
	for i := range 28 {
		extra := uint32(max(0, i/4-1))
		literalEntries[257+i] = base<<16 | extra
		base += 1 << extra
	}
	literalEntries[285] = 258 << 16
	literalEntries[286], literalEntries[287] = isException, isException
	base = 1
	for i := range 30 {
		extra := uint32(max(0, i/2-1))
		distanceEntries[i] = base<<16 | extra
		base += 1 << extra
	}
	distanceEntries[30], distanceEntries[31] = isException, isException
	for i := range precodeEntries {
		precodeEntries[i] = uint32(i) << 16
	}
}

// order is the order in which the lengths of the precode are stored.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// setFixed makes the tables of the fixed codes.
func (d *Decoder) setFixed() {
	l := d.lengths[:maxLiterals]
	for i := range l {
		switch {
		case i < 144, i >= 280:
			l[i] = 8
		case i < 256:
			l[i] = 9
		default:
			l[i] = 7
		}
	}
	_ = build(d.literals[:], literalBits, l, literalEntries[:])
	l = d.lengths[:maxDistances]
	for i := range l {
		l[i] = 5
	}
	_ = build(d.distances[:], distanceBits, l, distanceEntries[:])
	d.fixed = true
}

// readCodes reads the codes of a block and makes their tables.
func (d *Decoder) readCodes(s *stream) error {
	d.fixed = false
	head, err := s.take(14)
	if err != nil {
		return err
	}
	literals, distances, precodes := head&31+257, head>>5&31+1, head>>10+4
	if literals > 286 || distances > 30 {
		return errors.New("got more codes than the format has")
	}
	var precode [19]uint8
	for _, i := range order[:precodes] {
		n, err := s.take(3)
		if err != nil {
			return err
		}
		precode[i] = uint8(n)
	}
	if err := build(d.precode[:], precodeBits, precode[:], precodeEntries[:]); err != nil {
		return err
	}
	lengths := d.lengths[:literals+distances]
	for i := 0; i < len(lengths); {
		e, err := s.symbol(d.precode[:], precodeBits)
		if err != nil {
			return err
		}
		if e&isException != 0 {
			return invalid(e)
		}
		symbol := int(e >> 16)
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		width, least := 2, 3
		value := uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return errors.New("got a repetition with nothing before it")
			}
			value = lengths[i-1]
		case 17:
			width = 3
		case 18:
			width, least = 7, 11
		}
		n, err := s.take(width)
		if err != nil {
			return err
		}
		n += least
		if n > len(lengths)-i {
			return errors.New("got more lengths of codes than were announced")
		}
		for range n {
			lengths[i] = value
			i++
		}
	}
	if err := build(d.literals[:], literalBits, lengths[:literals], literalEntries[:]); err != nil {
		return err
	}
	return build(d.distances[:], distanceBits, lengths[literals:], distanceEntries[:])
}

// build makes the table of the canonical code with the given lengths, at most 15, where 0
// means that a symbol has no code. Symbol i gets entries[i] with the length of its code. A
// code must be complete; like zlib, build also takes a single code of one bit, and no code
// at all.
func build(table []uint32, width int, lengths []uint8, entries []uint32) error {
	var counts [maxBits + 1]int
	for _, n := range lengths {
		counts[n]++
	}
	used := len(lengths) - counts[0]
	counts[0] = 0
	// next is the next code of each length.
	var next [maxBits + 2]uint32
	longest, space := 0, 1
	for n := 1; n <= maxBits; n++ {
		space = space<<1 - counts[n]
		if space < 0 {
			return errors.New("got codes of lengths that exclude each other")
		}
		next[n+1] = (next[n] + uint32(counts[n])) << 1
		if counts[n] > 0 {
			longest = n
		}
	}
	if space > 0 {
		if used > 1 || used == 1 && counts[1] != 1 {
			return errors.New("got an incomplete set of codes")
		}
		for i := range 1 << width {
			table[i] = isException
		}
	}
	// The second level of the codes whose first bits are prefix.
	free, prefix, start, levelBits := uint32(1)<<width, uint32(1)<<maxBits, uint32(0), 0
	// Codes in the order of their values: by length, then by symbol.
	var sorted [maxLiterals]uint16
	var offset [maxBits + 2]int
	for n := 1; n <= maxBits; n++ {
		offset[n+1] = offset[n] + counts[n]
	}
	for i, n := range lengths {
		if n > 0 {
			sorted[offset[n]] = uint16(i)
			offset[n]++
		}
	}
	left := counts
	for _, i := range sorted[:used] {
		n := int(lengths[i])
		code := bits.Reverse32(next[n]) >> (32 - n)
		next[n]++
		e := entries[i] + uint32(n)*0x0101
		if n <= width {
			for at := code; at < 1<<width; at += 1 << n {
				table[at] = e
			}
			left[n]--
			continue
		}
		if first := code & (1<<width - 1); first != prefix {
			// As many bits as the codes with this prefix need: codes of at least this length
			// fill the level.
			prefix, start = first, free
			levelBits = n - width
			for room := 1<<levelBits - left[n]; room > 0 && levelBits+width < longest; {
				levelBits++
				room = room<<1 - left[levelBits+width]
			}
			free += 1 << levelBits
			table[first] = isException | isLink | start<<16 | uint32(levelBits)
		}
		for at := code >> width; at < 1<<levelBits; at += 1 << (n - width) {
			table[start+at] = e
		}
		left[n]--
	}
	return nil
}
