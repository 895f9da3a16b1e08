package hdf5

import (
	"encoding/binary"
	"fmt"
)

// The supported filters, by their registered numbers.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
	filterLZF      = 32000
)

var filterNames = map[int]string{
	filterDeflate: "deflate", filterShuffle: "shuffle", filterFletcher: "fletcher32", filterLZF: "lzf",
	4: "szip", 5: "nbit", 6: "scaleoffset", 307: "bzip2", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd",
}

// filter is one stage of the pipeline through which chunks are written.
type filter struct {
	id     int
	name   string
	values []uint32
}

func (f filter) String() string {
	name := f.name
	if name == "" {
		name = filterNames[f.id]
	}
	if name == "" {
		return fmt.Sprintf("number %d", f.id)
	}
	return fmt.Sprintf("number %d (%s)", f.id, name)
}

// parseFilters parses a filter pipeline message.
func parseFilters(c *cursor) []filter {
	version := c.version(1, 2)
	n := c.u8()
	if version == 1 {
		c.skip(6)
	}
	if n > 32 {
		c.fail("expected at most 32 filters, got %d", n)
	}
	var list []filter
	for range n {
		if c.err != nil {
			return nil
		}
		f := filter{id: c.u16()}
		nameLen := 0
		if version == 1 || f.id >= 256 {
			nameLen = c.u16()
		}
		c.skip(2) // flags
		values := c.u16()
		f.name = c.text(nameLen)
		if r := nameLen % 8; version == 1 && r != 0 {
			c.skip(8 - r)
		}
		for range values {
			if c.err != nil {
				return nil
			}
			f.values = append(f.values, c.u32())
		}
		if version == 1 && values%2 != 0 {
			c.skip(4)
		}
		list = append(list, f)
	}
	return list
}

// decode undoes the filters of a chunk. It uses both buffers; the result has size bytes
// and is in one of them. Bit i of mask says that filter i was skipped for this chunk.
func decode(list []filter, mask uint32, size int, b *buffers) ([]byte, error) {
	in := b.in
	for i := len(list) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		f := list[i]
		var err error
		switch f.id {
		case filterFletcher:
			in, err = stripFletcher(in)
		case filterDeflate:
			in, err = b.inflate(in, size+4*i)
		case filterLZF:
			in, err = b.swap(in, size+4*i, unLZF)
		case filterShuffle:
			width := 1
			if len(f.values) > 0 {
				width = int(f.values[0])
			}
			in, err = b.swap(in, len(in), func(dst, src []byte) (int, error) { return unshuffle(dst, src, width) })
		default:
			err = fmt.Errorf("not supported: expected deflate, shuffle, fletcher32 or lzf")
		}
		if err != nil {
			return nil, fmt.Errorf("filter %s: %w", f, err)
		}
	}
	if len(in) != size {
		return nil, fmt.Errorf("expected a chunk of %d bytes, got %d", size, len(in))
	}
	return in, nil
}

// stripFletcher checks and removes the checksum at the end. Old versions of the
// library wrote it with its bytes swapped.
func stripFletcher(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("expected at least 4 bytes, got %d", len(b))
	}
	data, stored := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	sum := fletcher32(data)
	swapped := sum&0x00ff00ff<<8 | sum>>8&0x00ff00ff
	if stored != sum && stored != swapped {
		return nil, fmt.Errorf("checksum: expected %#08x, got %#08x: the data are damaged", stored, sum)
	}
	return data, nil
}

// unshuffle collects the bytes of each element, which the filter has sorted by their
// position in the element.
func unshuffle(dst, src []byte, width int) (int, error) {
	if width <= 1 || len(src) < width {
		return copy(dst, src), nil
	}
	n := len(src) / width
	if width == 4 {
		a, b, c, d := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
		for i := range n {
			binary.LittleEndian.PutUint32(dst[4*i:], uint32(a[i])|uint32(b[i])<<8|uint32(c[i])<<16|uint32(d[i])<<24)
		}
	} else {
		for k := range width {
			for i, x := range src[k*n : (k+1)*n] {
				dst[i*width+k] = x
			}
		}
	}
	copy(dst[n*width:], src[n*width:])
	return len(src), nil
}

// unLZF undoes the LZF compression: runs of literal bytes and references to
// bytes already written.
func unLZF(dst, src []byte) (int, error) {
	short := fmt.Errorf("lzf: the stream breaks off")
	out := 0
	for i := 0; i < len(src); {
		control := int(src[i])
		i++
		if control < 32 {
			n := control + 1
			if i+n > len(src) || out+n > len(dst) {
				return 0, short
			}
			out += copy(dst[out:], src[i:i+n])
			i += n
			continue
		}
		n := control >> 5
		if n == 7 {
			if i >= len(src) {
				return 0, short
			}
			n += int(src[i])
			i++
		}
		n += 2
		if i >= len(src) {
			return 0, short
		}
		from := out - (control&31)<<8 - int(src[i]) - 1
		i++
		if from < 0 || out+n > len(dst) {
			return 0, fmt.Errorf("lzf: a reference leads outside of the data")
		}
		for range n {
			dst[out] = dst[from]
			out++
			from++
		}
	}
	return out, nil
}
