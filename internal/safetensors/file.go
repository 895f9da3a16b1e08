package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// File is an open safetensors file. Its header is in memory, its values are read when
// they are requested.
type File struct {
	name     string
	r        io.ReaderAt
	closer   io.Closer
	data     int64 // where the data section starts
	order    []Info
	index    map[string]int
	metadata map[string]string
}

// Open opens and checks the file at path. The caller closes it.
func Open(path string) (*File, error) {
	osf, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	stat, err := osf.Stat()
	if err != nil {
		osf.Close()
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f, err := NewFile(osf, stat.Size(), path)
	if err != nil {
		osf.Close()
		return nil, err
	}
	f.closer = osf
	return f, nil
}

// NewFile reads size bytes of a safetensors file from r; name is used in
// errors only. Close does not close r.
func NewFile(r io.ReaderAt, size int64, name string) (*File, error) {
	f, err := newFile(r, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	f.name = name
	return f, nil
}

func newFile(r io.ReaderAt, size int64) (*File, error) {
	if size < 8 {
		return nil, fmt.Errorf("expected at least 8 bytes, got %d (an empty or truncated file?)", size)
	}
	var prefix [8]byte
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header's length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > MaxHeader {
		return nil, fmt.Errorf("expected a header of at most %d bytes, got %d", MaxHeader, n)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("expected a header of %d bytes, got a file with %d after the length (truncated?)", n, size-8)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(r, 8, int64(n)), text); err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	h, err := parseHeader(text, size-8-int64(n))
	if err != nil {
		return nil, err
	}
	f := &File{r: r, data: 8 + int64(n), order: h.infos, metadata: h.metadata,
		index: make(map[string]int, len(h.infos))}
	for i, info := range h.infos {
		f.index[info.Name] = i
	}
	return f, nil
}

// Names lists the tensors in file order, that is by byte offset.
func (f *File) Names() []string {
	names := make([]string, len(f.order))
	for i, info := range f.order {
		names[i] = info.Name
	}
	return names
}

// Info returns the description of a tensor, and false if the file has none of that
// name.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	info := f.order[i]
	info.Shape = slices.Clone(info.Shape)
	return info, true
}

// Metadata returns a copy of the free-text entries of the header.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Close closes the file that Open opened. A second Close does nothing.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	c := f.closer
	f.closer = nil
	if err := c.Close(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// fail wraps err with the file's and the tensor's name.
func (f *File) fail(name string, err error) error {
	return fmt.Errorf("safetensors: %s: tensor %q: %w", f.name, name, err)
}

// lookup returns the description of a tensor, or an error.
func (f *File) lookup(name string) (Info, error) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, f.fail(name, fmt.Errorf("expected one of the file's %d tensors, got a name it does not have", len(f.order)))
	}
	return f.order[i], nil
}
