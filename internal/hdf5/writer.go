package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Writer is an HDF5 file being written. It implements driver.Writer.
//
// The file has a superblock of version 2, object headers of version 2 that contain
// their links and attributes, and chunks indexed by B-trees of version 1. Every version
// of the library since 1.8 can read it. Values are written immediately, everything else
// by Close. Until then the file has a temporary name, so an incomplete file never
// appears under its final name.
type Writer struct {
	name string

	mu      sync.Mutex
	f       *atomicfile.File
	end     uint64 // address of the next bytes
	objects map[string]*newObject
	heap    newHeap
	done    bool
}

// newObject is a group or a dataset to be written.
type newObject struct {
	attributes []newAttribute
	children   []string // members of a group, in the order of creation
	dataset    *DatasetWriter
}

const superblockSize = 12 + 4*8 + 4

// Create makes a new file. It returns an error if the file exists.
func Create(name string) (*Writer, error) {
	if _, err := os.Lstat(name); err == nil {
		return nil, fault(name, "", errors.New("the file exists"))
	}
	f, err := atomicfile.Create(name)
	if err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	return &Writer{name: name, f: f, end: align8(superblockSize), objects: map[string]*newObject{"/": {}}}, nil
}

func align8(n uint64) uint64 { return (n + 7) &^ 7 }

func (w *Writer) wrap(object string, err error) error {
	if err == nil {
		return nil
	}
	return fault(w.name, object, err)
}

// add registers a new object below its group.
func (w *Writer) add(p string, o *newObject) error {
	if w.done {
		return fmt.Errorf("the file is closed")
	}
	if p != path.Clean(p) || !path.IsAbs(p) || p == "/" {
		return fmt.Errorf(`expected a path such as "/group/name", got %q`, p)
	}
	parent, ok := w.objects[path.Dir(p)]
	if !ok || parent.dataset != nil {
		return fmt.Errorf("expected a group %s, got none", path.Dir(p))
	}
	if _, taken := w.objects[p]; taken {
		return fmt.Errorf("the object exists")
	}
	w.objects[p] = o
	parent.children = append(parent.children, path.Base(p))
	return nil
}

// Group makes a group.
func (w *Writer) Group(p string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrap(p, w.add(p, &newObject{}))
}

// Attribute adds an attribute to an object; see driver.Writer.
func (w *Writer) Attribute(p, name string, value any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	o, ok := w.objects[p]
	if !ok {
		return w.wrap(p, fmt.Errorf("%w: expected a group or a dataset", driver.ErrNotFound))
	}
	if name == "" || strings.ContainsRune(name, 0) || len(name) > 1<<12 {
		return w.wrap(p, fmt.Errorf("expected an attribute's name of 1 to 4096 bytes without zeros, got %q", name))
	}
	for _, a := range o.attributes {
		if a.name == name {
			return w.wrap(p, fmt.Errorf("attribute %q: is given twice", name))
		}
	}
	a, err := newAttributeOf(name, value)
	if err != nil {
		return w.wrap(p, fmt.Errorf("attribute %q: %w", name, err))
	}
	for _, s := range a.texts {
		w.heap.add(s)
	}
	o.attributes = append(o.attributes, a)
	return nil
}

// allocate reserves n bytes of the file.
func (w *Writer) allocate(n uint64) (address uint64) {
	address = w.end
	w.end = align8(w.end + n)
	return address
}

// write appends a block and returns its address.
func (w *Writer) write(b []byte) (uint64, error) {
	address := w.allocate(uint64(len(b)))
	_, err := w.f.WriteAt(b, int64(address))
	return address, err
}

// Close writes the remaining structures, renames the file to its name and closes it.
// After an error no file is left.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return w.wrap("/", fmt.Errorf("the file is closed"))
	}
	err := w.finish()
	if err == nil {
		if _, taken := os.Lstat(w.name); taken == nil {
			err = fmt.Errorf("the file exists")
		}
	}
	if err == nil {
		err = w.f.Commit()
	}
	if err != nil {
		w.abort()
		return w.wrap("/", err)
	}
	w.done = true
	return nil
}

// Abort removes the unfinished file. After Close it does nothing.
func (w *Writer) Abort() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return nil
	}
	w.abort()
	return nil
}

func (w *Writer) abort() {
	w.done = true
	w.f.Abort()
}

// finish writes heap, indexes, headers and superblock.
func (w *Writer) finish() error {
	if err := w.heap.write(w); err != nil {
		return err
	}
	root, err := w.writeObject("/")
	if err != nil {
		return err
	}
	b := append([]byte(signature), 2, 8, 8, 0)
	for _, v := range []uint64{0, undefined, w.end, root} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	if _, err := w.f.WriteAt(b, 0); err != nil {
		return err
	}
	if err := w.f.Truncate(int64(w.end)); err != nil {
		return err
	}
	if err := w.f.Chmod(0o644); err != nil {
		return err
	}
	return w.f.Sync()
}

// writeObject writes the header of an object, after those of the objects below it, and
// returns its address.
func (w *Writer) writeObject(p string) (uint64, error) {
	o := w.objects[p]
	var h headerWriter
	if o.dataset != nil {
		if err := o.dataset.messages(&h); err != nil {
			return 0, w.wrap(p, err)
		}
	} else {
		h.message(msgLinkInfo, linkInfo())
		h.message(msgGroupInfo, []byte{0, 0})
		for _, name := range o.children {
			child, err := w.writeObject(path.Join(p, name))
			if err != nil {
				return 0, err
			}
			h.message(msgLink, hardLinkTo(name, child))
		}
	}
	for _, a := range o.attributes {
		h.message(msgAttribute, a.encode(&w.heap))
	}
	if h.err != nil {
		return 0, w.wrap(p, h.err)
	}
	return w.write(h.bytes())
}
