//go:build hdf5

package libhdf5

/*
#include <hdf5.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/hdf5"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Name is the name of the driver.
const Name = "libhdf5"

func init() { well.RegisterDriver(Name, lib{}) }

type lib struct{}

// file is an open file. The library closes a file only after everything in it is closed, so
// file keeps a list of its datasets.
type file struct {
	name string
	f    *hdf5.File

	mu       sync.Mutex
	datasets []*hdf5.Dataset
}

// keep adds a dataset to those that Close closes.
func (f *file) keep(d *hdf5.Dataset) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.datasets = append(f.datasets, d)
}

// Open opens a file for reading.
func (lib) Open(name string) (driver.File, error) {
	defer quiet()()
	if _, err := os.Stat(name); err != nil {
		return nil, fmt.Errorf("libhdf5: %w", err)
	}
	f, err := hdf5.OpenFile(name, hdf5.F_ACC_RDONLY)
	if err != nil {
		return nil, fault(name, "", fmt.Errorf("not an HDF5 file, damaged or truncated: %w", err))
	}
	return &file{name: name, f: f}, nil
}

// fault returns the error of an object of a file.
func fault(name, object string, err error) error {
	return &driver.Error{Driver: Name, File: name, Object: object, Err: err}
}

func (f *file) fail(path string, format string, args ...any) error {
	return fault(f.name, path, fmt.Errorf(format, args...))
}

// id returns the file's handle in C.
func (f *file) id() C.hid_t { return C.hid_t(f.f.ID()) }

// exists reports whether a path leads to an object; it checks every link of the path.
func (f *file) exists(path string) bool {
	walked := ""
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		walked += "/" + name
		if !f.f.LinkExists(walked) {
			return false
		}
	}
	return true
}

// Children returns the sorted names of a group's members.
func (f *file) Children(path string) ([]string, error) {
	defer quiet()()
	if ok, err := f.IsGroup(path); !ok || err != nil {
		return nil, errors.Join(err, f.fail(path, "%w: expected a group", driver.ErrNotFound))
	}
	g, err := f.f.OpenGroup(path)
	if err != nil {
		return nil, f.fail(path, "%w", err)
	}
	defer g.Close()
	n, err := g.NumObjects()
	if err != nil {
		return nil, f.fail(path, "%w", err)
	}
	var out []string
	for i := range n {
		name, err := g.ObjectNameByIndex(i)
		if err != nil {
			return nil, f.fail(path, "%w", err)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out, nil
}

// IsGroup reports whether the object at path exists and is a group.
func (f *file) IsGroup(path string) (bool, error) {
	defer quiet()()
	if !f.exists(path) {
		return false, nil
	}
	g, err := f.f.OpenGroup(path)
	if err != nil {
		return false, nil
	}
	return true, g.Close()
}

// Close closes the datasets and the file.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for _, d := range f.datasets {
		err = errors.Join(err, d.Close())
	}
	f.datasets = nil
	return errors.Join(err, f.f.Close())
}

// writer is a file being written. It has a temporary name until Close.
type writer struct {
	file
	temp  *atomicfile.File // the file that HDF5 writes
	final string
	done  bool
}

// Create creates a file.
func (lib) Create(name string) (driver.Writer, error) {
	defer quiet()()
	if _, err := os.Lstat(name); err == nil {
		return nil, fault(name, "", errors.New("the file exists"))
	}
	tmp, err := atomicfile.Create(name)
	if err != nil {
		return nil, fmt.Errorf("libhdf5: %w", err)
	}
	f, err := hdf5.CreateFile(tmp.Name(), hdf5.F_ACC_TRUNC)
	if err != nil {
		tmp.Abort()
		return nil, fault(name, "", err)
	}
	return &writer{file: file{name: tmp.Name(), f: f}, temp: tmp, final: name}, nil
}

// Group creates a group.
func (w *writer) Group(path string) error {
	defer quiet()()
	g, err := w.f.CreateGroup(path)
	if err != nil {
		return w.fail(path, "making a group: %w", err)
	}
	return g.Close()
}

// Close completes the file and renames it to its final name.
func (w *writer) Close() error {
	defer quiet()()
	if w.done {
		return fault(w.final, "", errors.New("the file is closed"))
	}
	w.done = true
	err := w.file.Close()
	if err == nil {
		err = w.temp.Commit()
	}
	if err != nil {
		w.temp.Abort()
		return fault(w.final, "", err)
	}
	return nil
}

// Abort removes the temporary file.
func (w *writer) Abort() error {
	defer quiet()()
	if w.done {
		return nil
	}
	w.done = true
	err := w.file.Close()
	w.temp.Abort()
	return err
}
