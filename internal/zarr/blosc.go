package zarr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
)

// Blosc 1 cuts a buffer into blocks, shuffles the bytes or bits of each, and compresses each
// block whole or split by the bytes of an element. The layout is that of
// README_CHUNK_FORMAT.rst of c-blosc.
const (
	bloscHeader     = 16
	bloscShuffle    = 1 << 0
	bloscCopied     = 1 << 1
	bloscBitShuffle = 1 << 2
	bloscWhole      = 1 << 4 // blocks are not split
	// A block is split if its elements have at most bloscMaxSplits bytes and each part has at
	// least bloscLeastPart.
	bloscMaxSplits = 16
	bloscLeastPart = 128
)

// bloscCodecs names the compressors by their number.
var bloscCodecs = []string{"blosclz", "lz4", "snappy", "zlib", "zstd"}

// decodeBlosc decodes a buffer of n bytes.
func decodeBlosc(raw []byte, n int) ([]byte, error) {
	if len(raw) < bloscHeader {
		return nil, fmt.Errorf("blosc: expected a header of %d bytes, got %d", bloscHeader, len(raw))
	}
	b := bloscBuffer{raw: raw, flags: raw[2], element: max(int(raw[3]), 1)}
	size, block, packed := binary.LittleEndian.Uint32(raw[4:]), binary.LittleEndian.Uint32(raw[8:]), binary.LittleEndian.Uint32(raw[12:])
	if raw[0] != 2 && raw[0] != 1 || int64(size) != int64(n) || int64(packed) != int64(len(raw)) {
		return nil, fmt.Errorf("blosc: expected the format 2, %d bytes and %d encoded ones, got %d, %d and %d", n, len(raw), raw[0], size, packed)
	}
	if b.flags&bloscCopied != 0 {
		if len(raw) != bloscHeader+n {
			return nil, fmt.Errorf("blosc: expected %d copied bytes, got %d", n, len(raw)-bloscHeader)
		}
		return raw[bloscHeader:], nil
	}
	if n == 0 {
		return nil, nil
	}
	if block == 0 || int64(block) > int64(n) {
		return nil, fmt.Errorf("blosc: expected blocks of 1 to %d bytes, got %d", n, block)
	}
	if code := int(b.flags >> 5); code < len(bloscCodecs) {
		b.codec = bloscCodecs[code]
	}
	b.block = int(block)
	blocks := (n + b.block - 1) / b.block
	if blocks > (len(raw)-bloscHeader)/4 {
		return nil, fmt.Errorf("blosc: expected the starts of %d blocks, got %d bytes", blocks, len(raw))
	}
	out := make([]byte, 0, n)
	for i := range blocks {
		start := binary.LittleEndian.Uint32(raw[bloscHeader+4*i:])
		part, err := b.decodeBlock(int64(start), min(b.block, n-i*b.block))
		if err != nil {
			return nil, fmt.Errorf("blosc: block %d of %d: %w", i, blocks, err)
		}
		out = append(out, part...)
	}
	return out, nil
}

type bloscBuffer struct {
	raw            []byte
	flags          byte
	element, block int
	codec          string
}

// decodeBlock decodes and unshuffles a block of n bytes.
func (b bloscBuffer) decodeBlock(start int64, n int) ([]byte, error) {
	splits := 1
	if b.flags&bloscWhole == 0 && n == b.block && b.element <= bloscMaxSplits && b.block/b.element >= bloscLeastPart {
		splits = b.element
	}
	if n%splits != 0 {
		return nil, fmt.Errorf("expected a block of whole elements of %d bytes, got %d bytes", b.element, n)
	}
	var out []byte
	for range splits {
		if start < bloscHeader || start+4 > int64(len(b.raw)) {
			return nil, fmt.Errorf("expected a start within %d bytes, got %d", len(b.raw), start)
		}
		size := int64(binary.LittleEndian.Uint32(b.raw[start:]))
		if start += 4; size > int64(len(b.raw))-start {
			return nil, fmt.Errorf("expected %d bytes at %d, the buffer ends at %d", size, start, len(b.raw))
		}
		part, err := b.decodePart(b.raw[start:start+size], n/splits)
		if err != nil {
			return nil, err
		}
		if start += size; splits == 1 {
			out = part
		} else {
			out = append(out, part...)
		}
	}
	switch {
	case b.flags&bloscShuffle != 0 && b.element > 1:
		return unshuffle(out, b.element), nil
	case b.flags&bloscBitShuffle != 0 && n >= b.element:
		return unshuffleBits(out, b.element), nil
	}
	return out, nil
}

// decodePart decompresses n bytes. A part that compression made no smaller is copied.
func (b bloscBuffer) decodePart(raw []byte, n int) ([]byte, error) {
	if len(raw) == n {
		return raw, nil
	}
	switch b.codec {
	case "lz4":
		return lz4Block(raw, n)
	case "zstd":
		return decodeZstd(raw, n)
	case "zlib":
		r, err := zlib.NewReader(bytes.NewReader(raw))
		return exactly(r, n, err)
	case "snappy":
		if got, err := snappy.DecodedLen(raw); err != nil || got != n {
			return nil, fmt.Errorf("snappy: expected %d bytes, got %d (%v)", n, got, err)
		}
		return snappy.Decode(nil, raw)
	case "blosclz":
		return blosclz(raw, n)
	}
	return nil, fmt.Errorf("expected a compressor of %v, got the number %d", bloscCodecs, b.flags>>5)
}

var errBlosclz = errors.New("blosclz: the block is damaged")

// blosclz decodes a block of BloscLZ, the format of FastLZ with other lengths: literals of
// 1 to 32 bytes and copies of earlier bytes.
func blosclz(raw []byte, n int) ([]byte, error) {
	if len(raw) == 0 {
		return nil, errBlosclz
	}
	out := make([]byte, 0, min(n, 256*len(raw)))
	at := 0
	next := func() (byte, bool) {
		if at >= len(raw) {
			return 0, false
		}
		at++
		return raw[at-1], true
	}
	control := int(raw[0] & 31)
	at = 1
	for {
		if control < 32 { // literals
			count := control + 1
			if count > len(raw)-at || len(out)+count > n {
				return nil, errBlosclz
			}
			out = append(out, raw[at:at+count]...)
			at += count
		} else {
			length, distance := control>>5-1, (control&31)<<8
			if length == 6 {
				for {
					c, ok := next()
					if !ok || length > n {
						return nil, errBlosclz
					}
					length += int(c)
					if c != 255 {
						break
					}
				}
			}
			c, ok := next()
			if !ok {
				return nil, errBlosclz
			}
			length += 3
			distance += int(c)
			if c == 255 && distance == 31<<8+255 {
				high, ok1 := next()
				low, ok2 := next()
				if !ok1 || !ok2 {
					return nil, errBlosclz
				}
				distance = int(high)<<8 + int(low) + 8191
			}
			if distance++; distance > len(out) || len(out)+length > n {
				return nil, errBlosclz
			}
			for range length {
				out = append(out, out[len(out)-distance])
			}
		}
		c, ok := next()
		if !ok {
			break
		}
		control = int(c)
	}
	if len(out) != n {
		return nil, fmt.Errorf("blosclz: expected %d bytes, got %d", n, len(out))
	}
	return out, nil
}

// unshuffle puts the bytes of each element of size bytes next to each other again. The rest
// of a block that is no whole element stays as it is.
func unshuffle(raw []byte, size int) []byte {
	n := len(raw) / size
	out := make([]byte, len(raw))
	for b := range size {
		for i, v := range raw[b*n : (b+1)*n] {
			out[i*size+b] = v
		}
	}
	copy(out[n*size:], raw[n*size:])
	return out
}

// unshuffleBits is unshuffle for bits: raw holds the lowest bits of the first bytes of all
// elements, then the next bits. Blocks of a number of elements that 8 does not divide are
// not shuffled.
func unshuffleBits(raw []byte, size int) []byte {
	n := len(raw) / size
	if n%8 != 0 {
		return raw
	}
	out := make([]byte, len(raw))
	for row := range 8 * size {
		for k, bits := range raw[row*n/8 : (row+1)*n/8] {
			for j := range 8 {
				out[(8*k+j)*size+row/8] |= bits >> j & 1 << (row % 8)
			}
		}
	}
	copy(out[n*size:], raw[n*size:])
	return out
}
