package mapping

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/ndarray"
	"github.com/gowalrus/gowalrus/internal/npy"
)

// rawFile is a file without a header.
type rawFile struct {
	closer io.Closer
	array  ndarray.Array
}

// openRaw opens a file and compares its size, and the first marker, with the description.
func openRaw(name string, raw *Raw) (file, error) {
	l, want, err := raw.layout()
	if err != nil {
		return nil, err
	}
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	stat, err := r.Stat()
	if err == nil && stat.Size() != want {
		err = fmt.Errorf("%s: raw: expected %d bytes (offset %d, shape %v of %s, markers of %d bytes, tail %d), got %d: correct type, shape, offset, markers or tail",
			name, want, raw.Offset, raw.Shape, l.Type, raw.Markers, raw.Tail, stat.Size())
	}
	if err == nil {
		err = raw.checkMarker(name, r, l)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &rawFile{r, ndarray.Array{R: r, Layout: l, Wrap: func(err error) error { return fmt.Errorf("%s: %w", name, err) }}}, nil
}

// slowest returns the axis that varies slowest.
func (r *Raw) slowest() int {
	if r.ColumnMajor {
		return len(r.Shape) - 1
	}
	return 0
}

// layout returns the layout of the array and the size of the file.
func (r *Raw) layout() (l ndarray.Layout, size int64, err error) {
	t, err := ndarray.ParseType(r.Type)
	if err != nil {
		return l, 0, fmt.Errorf("raw: type: %w", err)
	}
	n, err := ndarray.Bytes(t, r.Shape)
	if err != nil {
		return l, 0, fmt.Errorf("raw: %w", err)
	}
	const most = 1 << 60
	if r.Offset < 0 || r.Tail < 0 || r.Offset > most || r.Tail > most || slices.Index([]int{0, 4, 8}, r.Markers) < 0 {
		return l, 0, fmt.Errorf("raw: expected offset and tail of 0 to 2^60 bytes and markers of 0, 4 or 8 bytes, got %d, %d and %d", r.Offset, r.Tail, r.Markers)
	}
	l = ndarray.RowMajor(t, r.Shape, r.Offset)
	if r.ColumnMajor {
		l = ndarray.ColumnMajor(t, r.Shape, r.Offset)
	}
	if r.Markers > 0 {
		if len(r.Shape) == 0 || r.Shape[r.slowest()] > most/16 {
			return l, 0, fmt.Errorf("raw: markers: expected an axis of records, got shape %v", r.Shape)
		}
		l.Offset += int64(r.Markers)
		l.Strides[r.slowest()] += 2 * int64(r.Markers)
		n += 2 * int64(r.Markers) * int64(r.Shape[r.slowest()])
	}
	return l, r.Offset + n + r.Tail, nil
}

// checkMarker compares the length before the first record with the shape.
func (r *Raw) checkMarker(name string, file io.ReaderAt, l ndarray.Layout) error {
	if r.Markers == 0 {
		return nil
	}
	b := make([]byte, r.Markers)
	if _, err := file.ReadAt(b, r.Offset); err != nil {
		return fmt.Errorf("%s: raw: the first marker: %w", name, err)
	}
	want := uint64(l.Strides[r.slowest()]) - 2*uint64(r.Markers)
	if little, big := marker(b, binary.LittleEndian), marker(b, binary.BigEndian); little != want && big != want {
		return fmt.Errorf("%s: raw: expected records of %d bytes, as shape and type say, got %d (or %d, big-endian) in the first marker: correct them", name, want, little, big)
	}
	return nil
}

// marker decodes a length of 4 or 8 bytes.
func marker(b []byte, order binary.ByteOrder) uint64 {
	if len(b) == 4 {
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

// findRecords looks for the records of a Fortran file of size bytes. It returns their
// number, their length and that of a marker, which is 0 if there are none, and the byte
// order.
func findRecords(r io.ReaderAt, size int64) (records, bytes int64, markers int, order string) {
	for _, markers := range []int{4, 8} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			b := make([]byte, markers)
			if _, err := r.ReadAt(b, 0); err != nil {
				return 0, 0, 0, ""
			}
			n := marker(b, order)
			if n == 0 || n > uint64(size) || size%(int64(n)+2*int64(markers)) != 0 {
				continue
			}
			// The length follows every record, too: compare the last one.
			if _, err := r.ReadAt(b, size-int64(markers)); err != nil || marker(b, order) != n {
				continue
			}
			suffix := ""
			if order == binary.BigEndian {
				suffix = " big-endian"
			}
			return size / (int64(n) + 2*int64(markers)), int64(n), markers, suffix
		}
	}
	return 0, 0, 0, ""
}

func (f *rawFile) format() string                         { return "raw binary" }
func (f *rawFile) single() bool                           { return true }
func (f *rawFile) dataset(string) (driver.Dataset, error) { return &f.array, nil }
func (f *rawFile) arrayAttributes(string) map[string]any  { return nil }
func (f *rawFile) attribute(string) (any, bool)           { return nil, false }
func (f *rawFile) Close() error                           { return f.closer.Close() }
func (f *rawFile) list() (out []info, left []string, e error) {
	return []info{{name: npy.Single, shape: f.array.Shape(), typ: f.array.Type()}}, nil, nil
}
func (f *rawFile) numbers() []string { return nil }
func (f *rawFile) memory() int64     { return 0 }
