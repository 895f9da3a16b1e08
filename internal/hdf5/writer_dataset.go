package hdf5

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/zlib"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// DatasetWriter fills a dataset. It implements driver.DatasetWriter; several
// goroutines may use it.
type DatasetWriter struct {
	w       *Writer
	path    string
	spec    driver.Spec
	message []byte // datatype
	size    int    // bytes of an element
	address uint64 // contiguous: the values

	mu     sync.Mutex
	chunks []newChunk
	seen   map[int]bool
}

// newChunk is a written chunk.
type newChunk struct {
	offset  []int
	address uint64
	size    int
}

// Dataset makes a dataset; see driver.Writer.
func (w *Writer) Dataset(p string, spec driver.Spec) (driver.DatasetWriter, error) {
	d := &DatasetWriter{w: w, path: p, spec: spec, address: undefined, seen: map[int]bool{}}
	d.spec.Shape, d.spec.Chunk = slices.Clone(spec.Shape), slices.Clone(spec.Chunk)
	if d.message, d.size = typeMessage(spec.Type); d.message == nil || spec.Type == "string" {
		return nil, w.wrap(p, fmt.Errorf("expected the type float32, float64, int64 or bool, got %q", spec.Type))
	}
	if err := d.check(); err != nil {
		return nil, w.wrap(p, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.add(p, &newObject{dataset: d}); err != nil {
		return nil, w.wrap(p, err)
	}
	if n := product(spec.Shape) * d.size; spec.Chunk == nil && n > 0 {
		d.address = w.allocate(uint64(n))
	}
	return d, nil
}

func (d *DatasetWriter) check() error {
	s := d.spec
	if len(s.Shape) > maxRank || (s.Chunk != nil && (len(s.Chunk) != len(s.Shape) || len(s.Chunk) == 0)) {
		return fmt.Errorf("expected at most %d axes and chunks with as many, got shape %v and chunks %v", maxRank, s.Shape, s.Chunk)
	}
	if s.Deflate < 0 || s.Deflate > 9 || (s.Deflate > 0 && s.Chunk == nil) {
		return fmt.Errorf("expected a compression level of 0 to 9, with chunks unless it is 0, got %d", s.Deflate)
	}
	total := 1.0
	for i, n := range s.Shape {
		if total *= float64(n); n < 0 || total > math.MaxInt64/16 {
			return fmt.Errorf("expected a shape with fewer than 2^59 elements, got %v", s.Shape)
		}
		if s.Chunk != nil && (s.Chunk[i] < 1 || n%s.Chunk[i] != 0) {
			return fmt.Errorf("expected chunks that divide shape %v, got %v", s.Shape, s.Chunk)
		}
	}
	if s.Chunk != nil && float64(product(s.Chunk))*float64(d.size) >= maxChunk {
		return fmt.Errorf("expected chunks of less than 4 GiB, got %v", s.Chunk)
	}
	return nil
}

// Float32 writes a block; see driver.DatasetWriter.
func (d *DatasetWriter) Float32(values []float32, offset, count []int) error {
	return put(d, values, offset, count)
}

// Float64 writes a block; see driver.DatasetWriter.
func (d *DatasetWriter) Float64(values []float64, offset, count []int) error {
	return put(d, values, offset, count)
}

func put[T float32 | float64](d *DatasetWriter, values []T, offset, count []int) error {
	err := d.checkBlock(len(values), offset, count)
	if err == nil && d.spec.Chunk == nil {
		err = putPlain(d, values, offset, count)
	} else if err == nil {
		err = d.putChunk(encodeValues(make([]byte, 0, len(values)*d.size), d.spec.Type, values), offset)
	}
	return d.w.wrap(d.path, err)
}

func (d *DatasetWriter) checkBlock(n int, offset, count []int) error {
	s := d.spec
	if len(offset) != len(s.Shape) || len(count) != len(s.Shape) {
		return fmt.Errorf("expected an offset and a count for each axis of shape %v, got %v and %v", s.Shape, offset, count)
	}
	total := 1
	for i, c := range count {
		if offset[i] < 0 || c < 0 || c > s.Shape[i] || offset[i] > s.Shape[i]-c {
			return fmt.Errorf("expected a block within shape %v, got %v elements at %v", s.Shape, count, offset)
		}
		if s.Chunk != nil && (c != s.Chunk[i] || offset[i]%c != 0) {
			return fmt.Errorf("expected one chunk of shape %v, got %v elements at %v", s.Chunk, count, offset)
		}
		total *= c
	}
	if n != total {
		return fmt.Errorf("expected %d values, got %d", total, n)
	}
	return nil
}

// putPlain writes a block of a contiguous dataset, run by run.
func putPlain[T float32 | float64](d *DatasetWriter, values []T, offset, count []int) error {
	if len(values) == 0 {
		return nil
	}
	zero := make([]int, len(count))
	return box{count, zero, count, offset, d.spec.Shape}.runs(func(from, to, n int) error {
		b := encodeValues(make([]byte, 0, n*d.size), d.spec.Type, values[from:from+n])
		_, err := d.w.f.WriteAt(b, int64(d.address)+int64(to)*int64(d.size))
		return err
	})
}

// encodeValues appends values in the stored type.
func encodeValues[T float32 | float64](b []byte, typ string, values []T) []byte {
	for _, v := range values {
		switch typ {
		case "float32":
			b = le.AppendUint32(b, math.Float32bits(float32(v)))
		case "float64":
			b = le.AppendUint64(b, math.Float64bits(float64(v)))
		case "int64":
			b = le.AppendUint64(b, uint64(int64(v)))
		default:
			b = appendBools(b, v != 0)
		}
	}
	return b
}

// putChunk compresses and appends a chunk.
func (d *DatasetWriter) putChunk(raw []byte, offset []int) error {
	if d.spec.Deflate > 0 {
		var err error
		if raw, err = compress(shuffle(raw, d.size), d.spec.Deflate); err != nil {
			return err
		}
	}
	number := 0
	for i, o := range offset {
		number = number*(d.spec.Shape[i]/d.spec.Chunk[i]) + o/d.spec.Chunk[i]
	}
	d.mu.Lock()
	if d.seen[number] {
		d.mu.Unlock()
		return fmt.Errorf("the chunk at %v is written twice", offset)
	}
	d.seen[number] = true
	d.mu.Unlock()
	d.w.mu.Lock()
	if d.w.done {
		d.w.mu.Unlock()
		return fmt.Errorf("the file is closed")
	}
	address := d.w.allocate(uint64(len(raw)))
	d.w.mu.Unlock()
	if _, err := d.w.f.WriteAt(raw, int64(address)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.chunks = append(d.chunks, newChunk{slices.Clone(offset), address, len(raw)})
	return nil
}

// shuffle sorts the bytes of elements by their position in the element, which
// compresses better.
func shuffle(src []byte, width int) []byte {
	dst := make([]byte, len(src))
	n := len(src) / width
	for k := range width {
		part := dst[k*n : (k+1)*n]
		for i := range part {
			part[i] = src[i*width+k]
		}
	}
	return dst
}

var compressors [10]sync.Pool

// compress deflates b.
func compress(b []byte, level int) ([]byte, error) {
	var out bytes.Buffer
	z, _ := compressors[level].Get().(*zlib.Writer)
	if z == nil {
		var err error
		if z, err = zlib.NewWriterLevel(io.Discard, level); err != nil {
			return nil, err
		}
	}
	defer compressors[level].Put(z)
	z.Reset(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// messages writes the index of the chunks and adds the messages that describe the
// dataset.
func (d *DatasetWriter) messages(h *headerWriter) error {
	h.message(msgDataspace, dataspaceMessage(d.spec.Shape, len(d.spec.Shape) == 0))
	h.message(msgDatatype, d.message)
	const late, incremental, ifSet = 2, 3, 2 << 2 // when space is allocated and filled
	if d.spec.Chunk == nil {
		h.message(msgFill, []byte{3, late | ifSet})
		b := le.AppendUint64([]byte{3, byte(contiguousLayout)}, d.address)
		h.message(msgLayout, le.AppendUint64(b, uint64(product(d.spec.Shape)*d.size)))
		return nil
	}
	h.message(msgFill, []byte{3, incremental | ifSet})
	tree, err := d.writeTree()
	if err != nil {
		return err
	}
	b := le.AppendUint64([]byte{3, byte(chunkedLayout), byte(len(d.spec.Shape) + 1)}, tree)
	for _, n := range append(slices.Clone(d.spec.Chunk), d.size) {
		b = le.AppendUint32(b, uint32(n))
	}
	h.message(msgLayout, b)
	if d.spec.Deflate > 0 {
		b := []byte{2, 2}
		for _, f := range [][4]uint16{{filterShuffle, 0, 1, uint16(d.size)}, {filterDeflate, 1, 1, uint16(d.spec.Deflate)}} {
			for _, v := range f[:3] {
				b = le.AppendUint16(b, v)
			}
			b = le.AppendUint32(b, uint32(f[3]))
		}
		h.message(msgFilters, b)
	}
	return nil
}
