// Package netcdf3 reads NetCDF files of the classic formats: CDF-1, CDF-2 (64-bit offsets)
// and CDF-5 (64-bit sizes). It was written from the NetCDF Classic Format Specification.
//
// Nothing in a file is trusted. The header is read once, from its start; memory is at most
// 64 bytes for each byte of the header, of which at most 64 MiB are read. Blocks of values
// are read where they lie and only within the file.
package netcdf3

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// Dimension is a named axis length.
type Dimension struct {
	Name   string
	Length int
	// Record marks the unlimited dimension.
	Record bool
}

// Variable is an array of a file.
type Variable struct {
	Name string
	// Dimensions names the axes.
	Dimensions []string
	// Attributes holds texts (string) and numbers (float64 or []float64).
	Attributes map[string]any
	// Text says that the elements are characters, which cannot be read as numbers.
	Text bool

	array ndarray.Array
	ids   []int
	begin int64
	size  int64 // bytes without the record dimension
}

// File is an open file. It is safe for concurrent use.
type File struct {
	name       string
	closer     io.Closer
	dimensions []Dimension
	variables  []*Variable
	attributes map[string]any
}

// Tags of the lists of a header, and the largest bytes of a header and of a name.
const (
	tagDimensions = 10
	tagVariables  = 11
	tagAttributes = 12
	maxHeader     = 64 << 20
	maxName       = 1 << 12
	maxRank       = 1 << 10
)

// types maps the numbers of the format to element types. Type 2 holds characters.
var types = map[uint64]ndarray.Type{
	1: {Kind: ndarray.Int, Size: 1}, 2: {Kind: ndarray.Unsigned, Size: 1},
	3: {Kind: ndarray.Int, Size: 2, Big: true}, 4: {Kind: ndarray.Int, Size: 4, Big: true},
	5: {Kind: ndarray.Float, Size: 4, Big: true}, 6: {Kind: ndarray.Float, Size: 8, Big: true},
	7: {Kind: ndarray.Unsigned, Size: 1}, 8: {Kind: ndarray.Unsigned, Size: 2, Big: true},
	9: {Kind: ndarray.Unsigned, Size: 4, Big: true}, 10: {Kind: ndarray.Int, Size: 8, Big: true},
	11: {Kind: ndarray.Unsigned, Size: 8, Big: true},
}

const typeText = 2

// Open opens a file.
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := r.Stat()
	var f *File
	if err == nil {
		f, err = NewFile(r, info.Size(), path)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	f.closer = r
	return f, nil
}

// NewFile reads a file of size bytes from r. The name is used in errors only.
func NewFile(r io.ReaderAt, size int64, name string) (*File, error) {
	limit := min(size, maxHeader)
	h := &header{r: bufio.NewReader(io.NewSectionReader(r, 0, limit)), left: limit}
	f := &File{name: name}
	if err := f.parse(h, r, size); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// header reads the header of a file. After an error it returns zeros.
type header struct {
	r    *bufio.Reader
	left int64
	wide bool // sizes have 64 bits: CDF-5
	long bool // offsets have 64 bits: CDF-2 and CDF-5
	err  error
}

func (h *header) fail(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf("header: "+format, args...)
	}
}

// bytes reads n bytes.
func (h *header) bytes(n int64) []byte {
	if h.err == nil && (n < 0 || n > h.left) {
		h.fail("expected %d bytes more, the header has %d (of at most %d MiB)", n, h.left, maxHeader>>20)
	}
	if h.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(h.r, b); err != nil {
		h.fail("%w", err)
		return nil
	}
	h.left -= n
	return b
}

func (h *header) uint(size int64) uint64 {
	switch b := h.bytes(size); {
	case b == nil:
		return 0
	case size == 4:
		return uint64(binary.BigEndian.Uint32(b))
	default:
		return binary.BigEndian.Uint64(b)
	}
}

// number reads a size.
func (h *header) number() uint64 {
	if h.wide {
		return h.uint(8)
	}
	return h.uint(4)
}

// count reads the number of entries of a list, each of which has at least 4 bytes.
func (h *header) count(tag uint64) int {
	got, n := h.uint(4), h.number()
	switch {
	case h.err != nil || (got == 0 && n == 0):
		return 0
	case got != tag:
		h.fail("expected the tag %d of a list, got %d", tag, got)
		return 0
	case n > uint64(h.left)/4:
		h.fail("expected a list that fits the file, got %d entries", n)
		return 0
	}
	return int(n)
}

// text reads a name, padded to 4 bytes.
func (h *header) text() string {
	n := h.number()
	if n > maxName {
		h.fail("expected names of at most %d bytes, got %d", maxName, n)
		return ""
	}
	b := h.bytes(int64(n+3) &^ 3)
	if b == nil {
		return ""
	}
	return string(b[:n])
}

// attributes reads a list of attributes.
func (h *header) attributes() map[string]any {
	out := map[string]any{}
	for range h.count(tagAttributes) {
		name := h.text()
		kind := h.uint(4)
		t, ok := types[kind]
		if n := h.number(); h.err == nil && (!ok || n > uint64(h.left)) {
			h.fail("attribute %q: expected a type of 1 to 11 and values that fit the file, got type %d and %d values", name, kind, n)
		} else if h.err == nil {
			raw := h.bytes((int64(n)*int64(t.Size) + 3) &^ 3)
			if raw != nil {
				out[name] = attributeValue(t, kind == typeText, raw, int(n))
			}
		}
		if h.err != nil {
			return out
		}
	}
	return out
}

func attributeValue(t ndarray.Type, text bool, raw []byte, n int) any {
	if text {
		return string(raw[:n])
	}
	values := make([]float64, n)
	t.Float64s(values, raw)
	if n == 1 {
		return values[0]
	}
	return values
}

// parse reads the header.
func (f *File) parse(h *header, r io.ReaderAt, size int64) error {
	start := h.bytes(4)
	if h.err != nil || string(start[:3]) != "CDF" {
		return fmt.Errorf("expected a file that begins with CDF, got %q (%v)", start, h.err)
	}
	switch start[3] {
	case 1:
	case 2:
		h.long = true
	case 5:
		h.long, h.wide = true, true
	default:
		return fmt.Errorf("expected the version 1, 2 or 5 of the classic format, got %d", start[3])
	}
	records := h.number()
	for range h.count(tagDimensions) {
		d := Dimension{Name: h.text()}
		n := h.number()
		if n > math.MaxInt64/16 {
			h.fail("dimension %q: expected a length below 2^59, got %d", d.Name, n)
		}
		d.Length, d.Record = int(n), n == 0
		if h.err != nil {
			return h.err
		}
		f.dimensions = append(f.dimensions, d)
	}
	f.attributes = h.attributes()
	for range h.count(tagVariables) {
		v := f.variable(h)
		if h.err != nil {
			return h.err
		}
		f.variables = append(f.variables, v)
	}
	if h.err != nil {
		return h.err
	}
	return f.place(r, size, records, h.wide)
}

// variable reads the description of a variable.
func (f *File) variable(h *header) *Variable {
	v := &Variable{Name: h.text()}
	n := h.number()
	if n > maxRank {
		h.fail("variable %q: expected at most %d dimensions, got %d", v.Name, maxRank, n)
	}
	for i := range min(n, maxRank) {
		id := h.number()
		if h.err == nil && id >= uint64(len(f.dimensions)) {
			h.fail("variable %q: expected dimensions below %d, got %d", v.Name, len(f.dimensions), id)
		}
		if h.err != nil {
			return v
		}
		if f.dimensions[id].Record && i > 0 {
			h.fail("variable %q: expected the unlimited dimension first, got it at axis %d", v.Name, i)
			return v
		}
		v.ids, v.Dimensions = append(v.ids, int(id)), append(v.Dimensions, f.dimensions[id].Name)
	}
	v.Attributes = h.attributes()
	kind := h.uint(4)
	t, ok := types[kind]
	if h.err == nil && !ok {
		h.fail("variable %q: expected a type of 1 to 11, got %d", v.Name, kind)
	}
	h.number() // the size follows from the shape
	offset := int64(4)
	if h.long {
		offset = 8
	}
	begin := h.uint(offset)
	if begin > math.MaxInt64/2 {
		h.fail("variable %q: expected an offset below 2^62, got %d", v.Name, begin)
	}
	v.Text, v.array.Layout.Type, v.begin = kind == typeText, t, int64(begin)
	return v
}

// place computes where the values of the variables lie. The values of one record follow
// each other, variable by variable.
func (f *File) place(r io.ReaderAt, size int64, records uint64, wide bool) error {
	var record int64
	var recordVariables []*Variable
	for _, v := range f.variables {
		var shape []int
		for _, id := range v.ids {
			shape = append(shape, f.dimensions[id].Length)
		}
		inner := shape
		isRecord := len(v.ids) > 0 && f.dimensions[v.ids[0]].Record
		if isRecord {
			inner = shape[1:]
			recordVariables = append(recordVariables, v)
		}
		var err error
		if v.size, err = ndarray.Bytes(v.array.Layout.Type, inner); err != nil {
			return fmt.Errorf("variable %q: %w", v.Name, err)
		}
		v.array.R = r
		v.array.Wrap = func(err error) error { return fmt.Errorf("%s: variable %s: %w", f.name, v.Name, err) }
		l := ndarray.RowMajor(v.array.Layout.Type, shape, v.begin)
		v.array.Layout = l
		if isRecord {
			record += (v.size + 3) &^ 3
			if record > math.MaxInt64/4 {
				return fmt.Errorf("variable %q: expected records of at most 2^60 bytes", v.Name)
			}
		} else if v.begin > size || v.size > size-v.begin {
			return fmt.Errorf("variable %q: expected %d bytes at %d, the file ends at %d: the file is truncated", v.Name, v.size, v.begin, size)
		}
	}
	if len(recordVariables) == 1 {
		record = recordVariables[0].size // a single record variable has no padding
	}
	return f.placeRecords(recordVariables, size, records, record, wide)
}

// placeRecords sets the number of records and the distance between them. A file that was
// being written may not say how many records it has; then its size does.
func (f *File) placeRecords(variables []*Variable, size int64, records uint64, record int64, wide bool) error {
	streaming := uint64(math.MaxUint32)
	if wide {
		streaming = math.MaxUint64
	}
	if records == streaming {
		records = 0
		if len(variables) > 0 && record > 0 {
			first := variables[0].begin
			for _, v := range variables {
				first = min(first, v.begin)
			}
			records = uint64(max(size-first, 0) / record)
		}
	}
	if len(variables) > 0 && record > 0 && records > uint64(size/record)+1 {
		return fmt.Errorf("expected at most %d records of %d bytes in a file of %d bytes, got %d: the file is truncated", size/record, record, size, records)
	}
	if records > math.MaxInt64/16 {
		return fmt.Errorf("expected fewer than 2^59 records, got %d", records)
	}
	for i, d := range f.dimensions {
		if d.Record {
			f.dimensions[i].Length = int(records)
		}
	}
	for _, v := range variables {
		l := &v.array.Layout
		l.Shape[0], l.Strides[0] = int(records), record
		if records > 0 && (v.begin > size || v.size > size-v.begin || int64(records-1) > (size-v.begin-v.size)/max(record, 1)) {
			return fmt.Errorf("variable %q: expected %d records of %d bytes from %d, the file ends at %d: the file is truncated", v.Name, records, record, v.begin, size)
		}
	}
	return nil
}

// Variables returns the variables in the order of the file.
func (f *File) Variables() []*Variable { return f.variables }

// Dimensions returns the dimensions in the order of the file.
func (f *File) Dimensions() []Dimension { return f.dimensions }

// Attributes returns the attributes of the file: texts, numbers and lists of numbers.
func (f *File) Attributes() map[string]any { return f.attributes }

// Dataset returns the values of a variable. Characters are an error.
func (f *File) Dataset(name string) (driver.Dataset, error) {
	var names []string
	for _, v := range f.variables {
		if v.Name == name {
			if v.Text {
				return nil, fmt.Errorf("%s: variable %s: expected numbers, got characters", f.name, name)
			}
			return &v.array, nil
		}
		names = append(names, v.Name)
	}
	return nil, fmt.Errorf("%s: variable %q: %w: the file has %.1000q", f.name, name, driver.ErrNotFound, names)
}

// Shape returns the lengths of the axes of a variable.
func (v *Variable) Shape() []int { return v.array.Layout.Shape }

// Type returns the name of the element type.
func (v *Variable) Type() string {
	if v.Text {
		return "characters"
	}
	return v.array.Type()
}

// Close closes the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
