package npy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// Single is the name of the array of an NPY file.
const Single = "array"

// File is an open NPY or NPZ file. It is safe for concurrent use.
type File struct {
	name    string
	closer  io.Closer
	arrays  []*member
	skipped []string
	memory  atomic.Int64
}

// member is an array of a file.
type member struct {
	file   *File
	name   string
	array  ndarray.Array
	packed *zip.File // nil unless the array is compressed

	once  sync.Once
	spool *os.File
	err   error
}

// Open opens an NPY or NPZ file.
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
	f := &File{name: name}
	var head [6]byte
	n, err := r.ReadAt(head[:], 0)
	if n < len(head) {
		return nil, fmt.Errorf("%s: expected an NPY or NPZ file, got %d bytes (%v)", name, n, err)
	}
	if string(head[:]) == magic {
		m := &member{name: Single}
		if err := m.open(io.NewSectionReader(r, 0, size), size); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.array.R = r
		f.add(m)
		return f, nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: expected an NPY or NPZ file: %w", name, err)
	}
	for _, entry := range z.File {
		if err := f.addEntry(r, size, entry); err != nil {
			return nil, fmt.Errorf("%s: array %.100q: %w", name, strings.TrimSuffix(entry.Name, ".npy"), err)
		}
	}
	return f, nil
}

// open reads the header of an array of size bytes.
func (m *member) open(r io.Reader, size int64) error {
	l, err := readHeader(r)
	if err != nil {
		return err
	}
	m.array.Layout = l
	return checkSize(l, size)
}

func (f *File) add(m *member) {
	m.file = f
	m.array.Wrap = func(err error) error { return fmt.Errorf("%s: array %s: %w", f.name, m.name, err) }
	f.arrays = append(f.arrays, m)
}

// mostPacked is the largest number of bytes that deflate packs into one.
const mostPacked = 1032

// addEntry adds an entry of an archive. Arrays that are not numbers are skipped.
func (f *File) addEntry(r io.ReaderAt, size int64, entry *zip.File) error {
	name, ok := strings.CutSuffix(entry.Name, ".npy")
	if !ok {
		f.skipped = append(f.skipped, entry.Name)
		return nil
	}
	if entry.UncompressedSize64 > uint64(size)*mostPacked {
		return fmt.Errorf("expected at most %d times the size of the file, got %d bytes", mostPacked, entry.UncompressedSize64)
	}
	body, err := entry.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	m := &member{name: name}
	if err := m.open(body, int64(entry.UncompressedSize64)); err != nil {
		if errors.Is(err, errSize) {
			return err
		}
		f.skipped = append(f.skipped, fmt.Sprintf("%s (%v)", name, err))
		return nil
	}
	if entry.Method == zip.Store {
		at, err := entry.DataOffset()
		if err != nil {
			return err
		}
		if at < 0 || at > size-int64(entry.UncompressedSize64) {
			return fmt.Errorf("expected %d bytes at %d within the file's %d", entry.UncompressedSize64, at, size)
		}
		m.array.R, m.array.Layout.Offset = r, m.array.Layout.Offset+at
	} else {
		m.packed = entry
	}
	f.add(m)
	return nil
}

// Arrays returns the names of the arrays, in the order of the file.
func (f *File) Arrays() []string {
	out := make([]string, len(f.arrays))
	for i, m := range f.arrays {
		out[i] = m.name
	}
	return out
}

// Skipped lists the entries of an archive that are not arrays of numbers.
func (f *File) Skipped() []string { return f.skipped }

// Dataset returns an array. An NPY file has one, whose name is [Single].
func (f *File) Dataset(name string) (driver.Dataset, error) {
	for _, m := range f.arrays {
		if m.name != name {
			continue
		}
		if m.packed == nil {
			return &m.array, nil
		}
		return m, nil
	}
	return nil, fmt.Errorf("%s: array %q: %w: the file has %q", f.name, name, driver.ErrNotFound, f.Arrays())
}

// Memory returns the bytes of unpacked arrays in memory.
func (f *File) Memory() int64 { return f.memory.Load() }

// Close closes the file and removes temporary files.
func (f *File) Close() error {
	var all error
	for _, m := range f.arrays {
		m.once.Do(func() { m.err = errors.New("the file is closed") })
		if m.spool != nil {
			all = errors.Join(all, m.spool.Close(), os.Remove(m.spool.Name()))
			m.spool = nil
		}
	}
	if f.closer != nil {
		all = errors.Join(all, f.closer.Close())
	}
	return all
}

// inMemory is the size in bytes up to which a compressed array is unpacked into memory.
const inMemory = 16 << 20

// unpack unpacks a compressed array at the first call. Reading to the end also compares the
// checksum of the archive.
func (m *member) unpack() error {
	m.once.Do(func() {
		body, err := m.packed.Open()
		if err == nil {
			m.err = m.keep(body)
			err = body.Close()
		}
		m.err = errors.Join(m.err, err)
	})
	if m.err != nil {
		return m.array.Wrap(m.err)
	}
	return nil
}

func (m *member) keep(body io.Reader) error {
	size := int64(m.packed.UncompressedSize64)
	if size <= inMemory {
		b := bytes.NewBuffer(make([]byte, 0, size+1))
		if _, err := io.Copy(b, body); err != nil {
			return fmt.Errorf("the archive is damaged: %w", err)
		}
		m.array.R = bytes.NewReader(b.Bytes())
		m.file.memory.Add(int64(b.Cap()))
		return nil
	}
	spool, err := os.CreateTemp("", filepath.Base(m.packed.Name)+".*.part")
	if err != nil {
		return err
	}
	m.spool, m.array.R = spool, spool
	if _, err := io.Copy(spool, body); err != nil {
		return fmt.Errorf("unpacking to %s: %w", spool.Name(), err)
	}
	return nil
}

// Shape returns the lengths of the axes.
func (m *member) Shape() []int { return m.array.Shape() }

// Type returns the name of the element type.
func (m *member) Type() string { return m.array.Type() }

// Chunk returns nil.
func (m *member) Chunk() []int { return nil }

// Float32 reads a block; see driver.Dataset.
func (m *member) Float32(dst []float32, offset, count []int) error {
	if err := m.unpack(); err != nil {
		return err
	}
	return m.array.Float32(dst, offset, count)
}

// Float64 reads a block; see driver.Dataset.
func (m *member) Float64(dst []float64, offset, count []int) error {
	if err := m.unpack(); err != nil {
		return err
	}
	return m.array.Float64(dst, offset, count)
}
