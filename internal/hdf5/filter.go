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

// decoded is a chunk without filters.
type decoded struct {
	bytes []byte
	// planes says that the bytes are still shuffled: the first bytes of all elements, then
	// their second bytes, and so on.
	planes bool
	// fill is the value of all elements if the chunk was never written.
	fill []byte
}

// elements returns the bytes of n elements of the given width from element i on, in b.out
// if they are not together in the chunk.
func (c decoded) elements(b *buffers, width, i, n int) []byte {
	if c.bytes != nil && !c.planes {
		return c.bytes[i*width : (i+n)*width]
	}
	b.out = sized(b.out, n*width)
	if c.planes {
		unshuffle(b.out, c.bytes, width, i)
	} else {
		repeat(b.out, c.fill)
	}
	return b.out
}

// decode undoes the filters of a chunk of size bytes, of elements of the given width. It uses
// both buffers, and returns one of them. If the first filter shuffled the bytes of elements,
// it stays: only the elements that are read need their order. Bit i of mask says that filter
// i was skipped for this chunk.
func decode(list []filter, mask uint32, size, width int, b *buffers) (decoded, error) {
	in := b.in
	planes := false
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
			of := 1
			if len(f.values) > 0 {
				of = int(f.values[0])
			}
			switch {
			case of <= 1 || len(in) < of:
			case i == 0 && of == width && len(in)%width == 0:
				planes = true
			default:
				in, err = b.swap(in, len(in), func(dst, src []byte) (int, error) {
					whole := len(src) / of * of
					unshuffle(dst[:whole], src[:whole], of, 0)
					copy(dst[whole:], src[whole:])
					return len(src), nil
				})
			}
		default:
			err = fmt.Errorf("not supported: expected deflate, shuffle, fletcher32 or lzf")
		}
		if err != nil {
			return decoded{}, fmt.Errorf("filter %s: %w", f, err)
		}
	}
	if len(in) != size {
		return decoded{}, fmt.Errorf("expected a chunk of %d bytes, got %d", size, len(in))
	}
	return decoded{bytes: in, planes: planes}, nil
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

// unshuffle fills dst with the elements of the given width from element from on. The
// filter has sorted the bytes of src by their position in the element.
func unshuffle(dst, src []byte, width, from int) {
	n, planes := len(dst)/width, len(src)/width
	if width == 4 {
		a, b, c, d := src[from:][:n], src[planes+from:][:n], src[2*planes+from:][:n], src[3*planes+from:][:n]
		for i := range n {
			binary.LittleEndian.PutUint32(dst[4*i:], uint32(a[i])|uint32(b[i])<<8|uint32(c[i])<<16|uint32(d[i])<<24)
		}
		return
	}
	for k := range width {
		for i, x := range src[k*planes+from:][:n] {
			dst[i*width+k] = x
		}
	}
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
