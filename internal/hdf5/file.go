package hdf5

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// File is an HDF5 file open for reading. It implements driver.File.
type File struct {
	name   string
	r      io.ReaderAt
	size   int64
	closer io.Closer
	super  superblock
	// anyChecksum accepts metadata with wrong checksums. Tests set it so that damage
	// reaches the parsers.
	anyChecksum bool

	mu       sync.Mutex
	kept     quota // bytes of objects and groups
	objects  map[uint64]*object
	groups   map[uint64][]link
	datasets map[string]*Dataset
}

// Open opens a file. Errors name the file.
func Open(name string) (*File, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	stat, err := r.Stat()
	if err == nil && stat.IsDir() {
		err = fmt.Errorf("expected a file, got a folder")
	}
	if err != nil {
		r.Close()
		return nil, fault(name, "", err)
	}
	f, err := NewFile(r, stat.Size(), name)
	if err != nil {
		r.Close()
		return nil, err
	}
	f.closer = r
	return f, nil
}

// NewFile reads a file of size bytes from r; name is used in errors only. Close
// does not close r.
func NewFile(r io.ReaderAt, size int64, name string) (*File, error) {
	return newFile(r, size, name, false)
}

func newFile(r io.ReaderAt, size int64, name string, anyChecksum bool) (*File, error) {
	f := &File{
		name: name, r: r, size: size, anyChecksum: anyChecksum,
		objects: map[uint64]*object{}, groups: map[uint64][]link{}, datasets: map[string]*Dataset{},
	}
	f.kept.f = f
	if size < 0 {
		return nil, f.wrap("", fmt.Errorf("expected a size of 0 bytes or more, got %d", size))
	}
	if err := f.readSuperblock(); err != nil {
		return nil, f.wrap("", err)
	}
	if _, err := f.group(f.super.root); err != nil {
		return nil, f.wrap("/", err)
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Name returns the name the file was opened with.
func (f *File) Name() string { return f.name }

// fault returns the error of an object of a file.
func fault(file, object string, err error) error {
	return &driver.Error{Driver: "hdf5", File: file, Object: object, Err: err}
}

// wrap prefixes an error with the names of the file and of an object.
func (f *File) wrap(object string, err error) error {
	if err == nil {
		return nil
	}
	return fault(f.name, object, err)
}

// read reads n bytes at an address.
func (f *File) read(address, n uint64) ([]byte, error) {
	if err := f.within(address, n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	return b, f.readInto(b, address)
}

// within checks that n bytes at an address lie inside the file.
func (f *File) within(address, n uint64) error {
	end := uint64(f.size) - f.super.base
	if address > end || n > end-address {
		return fmt.Errorf("expected %d bytes at %#x, beyond the end of the file at %#x", n, address, end)
	}
	return nil
}

// readInto fills b from an address that was checked with within.
func (f *File) readInto(b []byte, address uint64) error {
	if _, err := f.r.ReadAt(b, int64(address+f.super.base)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("reading %d bytes at %#x: %w", len(b), address, err)
	}
	return nil
}

// readUpTo reads at most n bytes at an offset from the start of the file.
func (f *File) readUpTo(at uint64, n int) ([]byte, error) {
	b := make([]byte, min(uint64(n), uint64(f.size)-min(at, uint64(f.size))))
	if _, err := f.r.ReadAt(b, int64(at)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// block reads a structure of n bytes and returns a cursor on it.
func (f *File) block(address, n uint64, what string) (*cursor, error) {
	what = fmt.Sprintf("%s at %#x", what, address)
	b, err := f.read(address, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return &cursor{b: b, what: what}, nil
}
