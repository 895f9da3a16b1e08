package torchpt

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// File is an open checkpoint: its object tree in memory, its values on disk.
// It may be used from several goroutines.
type File struct {
	name    string
	closer  io.Closer
	archive *archive
	root    any
	skipCRC bool
}

// Options configure Open and NewFile.
type Options struct {
	// SkipCRC does not compare the CRC-32 of entries that are read whole.
	SkipCRC bool
}

// Open opens the checkpoint at path and parses its pickle. The caller closes
// it.
func Open(path string, o Options) (*File, error) {
	osf, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("torchpt: %w", err)
	}
	stat, err := osf.Stat()
	if err != nil {
		osf.Close()
		return nil, fmt.Errorf("torchpt: %w", err)
	}
	f, err := NewFile(osf, stat.Size(), path, o)
	if err != nil {
		osf.Close()
		return nil, err
	}
	f.closer = osf
	return f, nil
}

// NewFile reads a checkpoint of size bytes from r; name is used in errors
// only. Close does not close r. The CRC-32 of an entry is compared when the entry is read
// whole: the pickle always, a storage unless its tensor is only a part of it.
func NewFile(r io.ReaderAt, size int64, name string, o Options) (*File, error) {
	f := &File{name: name, skipCRC: o.SkipCRC}
	var err error
	if f.archive, err = openArchive(r, size, o.SkipCRC); err != nil {
		return nil, f.fail(err)
	}
	text, err := f.archive.readAll("data.pkl", maxPickle)
	if err != nil {
		return nil, f.fail(err)
	}
	if f.root, err = unpickle(text, f.storage); err != nil {
		return nil, f.fail(err)
	}
	return f, nil
}

// Close closes the file that Open opened. Tensors cannot be read afterwards.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	c := f.closer
	f.closer = nil
	if err := c.Close(); err != nil {
		return f.fail(err)
	}
	return nil
}

// Root returns the saved object; see Tuple, List, Set, Dict and Tensor for its parts.
// Values may be shared, and in a hostile file a container may contain itself.
func (f *File) Root() any { return f.root }

// Lookup descends from the root: a string or int is a key of a dict, a string
// is an attribute of a namespace, an int is a position in a list or tuple.
//
//	step, err := f.Lookup("app", "optimizer", "state", 0, "step")
func (f *File) Lookup(path ...any) (any, error) {
	v := f.root
	for i, key := range path {
		next, ok := child(v, key)
		if !ok {
			return nil, f.fail(fmt.Errorf("%s: expected an element %#v, got %s without it", joined(path[:i]), key, kind(v)))
		}
		v = next
	}
	return v, nil
}

func child(v, key any) (any, bool) {
	var items []any
	switch v := v.(type) {
	case *Dict:
		return v.Get(key)
	case *Namespace:
		return v.Get(key)
	case *List:
		items = v.Items
	case Tuple:
		items = v
	}
	i, ok := key.(int)
	if !ok || i < 0 || i >= len(items) {
		return nil, false
	}
	return items[i], true
}

// joined formats a path for errors: "app.optimizer", or "top level".
func joined(path []any) string {
	if len(path) == 0 {
		return "top level"
	}
	words := make([]string, len(path))
	for i, p := range path {
		words[i] = fmt.Sprint(p)
	}
	return strings.Join(words, ".")
}

func (f *File) fail(err error) error { return fmt.Errorf("torchpt: %s: %w", f.name, err) }
