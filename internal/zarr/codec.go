package zarr

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// codecConfig is a codec of version 2.
type codecConfig struct {
	ID          string `json:"id"`
	ElementSize int    `json:"elementsize"`
}

// decode decodes the bytes of a chunk to n bytes.
type decode func(raw []byte, n int) ([]byte, error)

// pipeline lists the decoders in the order in which they apply.
type pipeline []decode

// run decodes a chunk. Every decoder but those of checksums gives the n bytes of the chunk.
func (p pipeline) run(raw []byte, n int) ([]byte, error) {
	var err error
	for _, d := range p {
		if raw, err = d(raw, n); err != nil {
			return nil, err
		}
	}
	if len(raw) != n {
		return nil, fmt.Errorf("expected a chunk of %d bytes, got %d", n, len(raw))
	}
	return raw, nil
}

// compressors maps the names of both versions to decoders.
var compressors = map[string]decode{
	"gzip": func(raw []byte, n int) ([]byte, error) {
		r, err := gzip.NewReader(bytes.NewReader(raw))
		return exactly(r, n, err)
	},
	"zlib": func(raw []byte, n int) ([]byte, error) {
		r, err := zlib.NewReader(bytes.NewReader(raw))
		return exactly(r, n, err)
	},
	"bz2": func(raw []byte, n int) ([]byte, error) {
		return exactly(bzip2.NewReader(bytes.NewReader(raw)), n, nil)
	},
	"zstd":  decodeZstd,
	"lz4":   decodeLZ4,
	"blosc": decodeBlosc,
}

// exactly reads n bytes and the end.
func exactly(r io.Reader, n int, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	// The buffer grows with the bytes that arrive: a damaged chunk ends early.
	b := bytes.NewBuffer(make([]byte, 0, min(n, 1<<20)))
	if got, err := io.Copy(b, io.LimitReader(r, int64(n)+1)); err != nil {
		return nil, err
	} else if got != int64(n) {
		return nil, fmt.Errorf("expected a chunk of %d bytes, got %d or more", n, got)
	}
	return b.Bytes(), nil
}

// zstdDecoder decodes frames of any number of goroutines. The capacity of the result bounds
// its size.
var zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(uint64(maxChunk)), zstd.WithDecoderMaxWindow(128<<20))

func decodeZstd(raw []byte, n int) ([]byte, error) {
	// A frame that states its size is compared with n before memory is reserved.
	var h zstd.Header
	if err := h.Decode(raw); err != nil {
		return nil, err
	}
	if h.HasFCS && h.FrameContentSize > uint64(n) {
		return nil, fmt.Errorf("expected a chunk of %d bytes, got a frame of %d", n, h.FrameContentSize)
	}
	return zstdDecoder.DecodeAll(raw, make([]byte, 0, n))
}

// decodeLZ4 decodes a block of numcodecs: the number of bytes, then the block.
func decodeLZ4(raw []byte, n int) ([]byte, error) {
	if len(raw) < 4 || int64(binary.LittleEndian.Uint32(raw)) != int64(n) {
		return nil, fmt.Errorf("lz4: expected a block of %d bytes that begins with this number", n)
	}
	return lz4Block(raw[4:], n)
}

// lz4Block decodes a block of exactly n bytes. LZ4 packs at most 255 bytes into one.
func lz4Block(raw []byte, n int) ([]byte, error) {
	if n > 255*len(raw)+64 {
		return nil, fmt.Errorf("lz4: expected a block of %d bytes, got one of %d bytes that cannot hold them", n, len(raw))
	}
	out := make([]byte, n)
	got, err := lz4.UncompressBlock(raw, out)
	if err != nil || got != n {
		return nil, fmt.Errorf("lz4: expected a block of %d bytes, got %d (%w)", n, got, errOr(err))
	}
	return out, nil
}

var errShort = errors.New("the block is short")

func errOr(err error) error {
	if err == nil {
		return errShort
	}
	return err
}

func newV2Pipeline(m v2Metadata) (pipeline, error) {
	var p pipeline
	if m.Compressor != nil {
		d, ok := compressors[m.Compressor.ID]
		if !ok {
			return nil, fmt.Errorf("compressor: expected gzip, zlib, bz2, lz4, zstd or blosc, got %q: write the array again with one of them", m.Compressor.ID)
		}
		p = append(p, d)
	}
	for _, f := range slices.Backward(m.Filters) {
		if f.ID != "shuffle" || f.ElementSize < 1 || f.ElementSize > 64 {
			return nil, fmt.Errorf("filters: expected shuffle, got %q: write the array again without it", f.ID)
		}
		p = append(p, func(raw []byte, n int) ([]byte, error) { return unshuffle(raw, f.ElementSize), nil })
	}
	return p, nil
}

// setCodecs sets the pipeline of an array of version 3.
func (a *array) setCodecs(codecs []named) error {
	a.order = counted(len(a.shape))
	if len(codecs) == 1 && codecs[0].Name == "sharding_indexed" {
		return a.setShard(codecs[0])
	}
	order, p, t, err := parseCodecs(codecs, a.typ, len(a.shape))
	a.order, a.decoder, a.typ = order, p, t
	return err
}

// parseCodecs parses a list of codecs: any number of transpose, then bytes, then
// compressors and checksums.
func parseCodecs(codecs []named, t ndarray.Type, rank int) (order []int, p pipeline, typ ndarray.Type, err error) {
	order = counted(rank)
	ordered := false
	for _, c := range codecs {
		switch d, compressed := compressors[c.Name]; {
		case c.Name == "transpose" && !ordered:
			order, err = transposed(c, order)
		case c.Name == "bytes" && !ordered:
			ordered = true
			t, err = byteOrder(c, t)
		case !ordered:
			err = fmt.Errorf(`expected "bytes" or "transpose" first, got %q`, c.Name)
		case c.Name == "crc32c":
			p = append(p, checksum)
		case compressed && c.Name != "zlib" && c.Name != "bz2" && c.Name != "lz4":
			p = append(p, d)
		default:
			err = fmt.Errorf("expected gzip, zstd, blosc or crc32c, got %q: write the array again with one of them", c.Name)
		}
		if err != nil {
			return nil, nil, t, err
		}
	}
	if !ordered {
		return nil, nil, t, errors.New(`expected the codec "bytes", got none`)
	}
	slices.Reverse(p)
	return order, p, t, nil
}

func transposed(c named, order []int) ([]int, error) {
	var config struct {
		Order json.RawMessage `json:"order"`
	}
	if err := c.configure(&config); err != nil {
		return nil, err
	}
	var by []int
	if err := json.Unmarshal(config.Order, &by); err != nil || len(by) != len(order) {
		return nil, fmt.Errorf("transpose: expected an order of %d axes, got %.100s", len(order), config.Order)
	}
	out := make([]int, len(by))
	seen := make([]bool, len(by))
	for i, at := range by {
		if at < 0 || at >= len(by) || seen[at] {
			return nil, fmt.Errorf("transpose: expected each of %d axes once, got %v", len(by), by)
		}
		seen[at] = true
		out[i] = order[at]
	}
	return out, nil
}

func byteOrder(c named, t ndarray.Type) (ndarray.Type, error) {
	config := struct {
		Endian string `json:"endian"`
	}{"little"}
	if err := c.configure(&config); err != nil {
		return t, err
	}
	switch config.Endian {
	case "little":
		t.Big = false
	case "big":
		t.Big = t.Size > 1
	default:
		return t, fmt.Errorf("bytes: expected the byte order little or big, got %q", config.Endian)
	}
	return t, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum compares and removes the CRC-32C at the end of a chunk.
func checksum(raw []byte, _ int) ([]byte, error) {
	at := len(raw) - 4
	if at < 0 {
		return nil, errors.New("crc32c: expected a checksum of 4 bytes")
	}
	if want, got := binary.LittleEndian.Uint32(raw[at:]), crc32.Checksum(raw[:at], castagnoli); want != got {
		return nil, fmt.Errorf("crc32c: expected the checksum %#x, got %#x: the chunk is damaged", want, got)
	}
	return raw[:at], nil
}
