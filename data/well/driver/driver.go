// Package driver defines the interface between package well and an HDF5 library, in the
// manner of database/sql/driver: programs use package well, only drivers use this package.
//
// Paths inside a file have the form "/t0_fields/density"; "/" is the root group. Open files
// and their datasets are safe for concurrent use.
package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Driver opens and creates HDF5 files. Its errors, and those of open files and datasets,
// should be of type [*Error]: package well adds the name of the file to all others.
type Driver interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create creates a file. It is an error if the file exists. A driver that cannot write
	// returns ErrReadOnly.
	Create(path string) (Writer, error)
}

// ReaderDriver is a Driver that also opens files that are not on this machine.
type ReaderDriver interface {
	Driver
	// OpenReader opens a file of size bytes for reading. name is for errors. If r has a
	// method Prefetch(ctx, offset, n), as [github.com/gowalrus/gowalrus/data/hub.RemoteFile]
	// has, the datasets of the file should be of type [Prefetcher].
	OpenReader(r io.ReaderAt, size int64, name string) (File, error)
}

// Prefetcher is a Dataset that can request values before they are read.
type Prefetcher interface {
	// Prefetch waits until the stored values of a block of elements are in a cache of this
	// machine, or the context ends. It does nothing for a file on this machine.
	Prefetch(ctx context.Context, offset, count []int) error
}

// ErrReadOnly is returned by Create of drivers that cannot write.
var ErrReadOnly = errors.New("the HDF5 driver only reads")

// ErrNotFound is wrapped by errors about a group, dataset or attribute that does not exist.
var ErrNotFound = errors.New("not found")

// Error reports a fault of a file or of an object in it, such as a damaged chunk.
type Error struct {
	// Driver is the name of the library.
	Driver string
	// File is the path of the file, Object that of the group or dataset. Object is empty if
	// the fault is about the whole file.
	File, Object string
	// Err is the fault.
	Err error
}

// Error names library, file, object and fault.
func (e *Error) Error() string {
	if e.Object == "" {
		return fmt.Sprintf("%s: %s: %v", e.Driver, e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s: %s: %v", e.Driver, e.File, e.Object, e.Err)
}

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Err }

// File is an HDF5 file open for reading.
type File interface {
	// Children returns the sorted names of a group's members.
	Children(group string) ([]string, error)
	// IsGroup reports whether the object at path exists and is a group.
	IsGroup(path string) (bool, error)
	// Attributes returns the sorted names of an object's attributes.
	Attributes(path string) ([]string, error)
	// Attribute reads an attribute. The value is a string, bool, int64 or float64 for
	// scalars and []string, []bool, []int64 or []float64 for one-dimensional arrays. An
	// empty array may have any of the slice types, because h5py stores an empty list of
	// strings as an empty array of float64. Other types are errors.
	Attribute(path, name string) (any, error)
	// Dataset opens a dataset.
	Dataset(path string) (Dataset, error)
	// Close closes the file. Its datasets must not be used afterwards.
	Close() error
}

// Dataset is an array in a file. Its methods convert numbers of any size, byte order and
// sign, and enumerations, to the requested type.
type Dataset interface {
	// Shape returns the shape, empty for a scalar. Callers must not modify it.
	Shape() []int
	// Type returns a short name of the stored type for messages and reports: "float32",
	// "int8", "float32 big-endian", "bool", "string".
	Type() string
	// Chunk returns the shape of a chunk, or nil if the data are contiguous.
	Chunk() []int
	// Float32 reads the block of count elements per axis at offset into dst, in row-major
	// order. The length of dst must be the number of elements. offset and count have one
	// entry per axis.
	Float32(dst []float32, offset, count []int) error
	// Float64 is Float32 for numbers that float32 cannot represent.
	Float64(dst []float64, offset, count []int) error
}

// Writer is an HDF5 file being written. A group must be created before its members.
type Writer interface {
	// Group creates a group. Its parent must exist.
	Group(path string) error
	// Attribute sets an attribute of an object to a string, bool, int64, float64, or a
	// slice of one of these. It is stored as h5py stores it: strings with variable length
	// in UTF-8, bools as an 8-bit enumeration FALSE = 0, TRUE = 1, an empty slice as an
	// empty array of float64.
	Attribute(path, name string, value any) error
	// Dataset creates a dataset.
	Dataset(path string, spec Spec) (DatasetWriter, error)
	// Close completes and closes the file.
	Close() error
	// Abort closes and removes the file. After Close it does nothing.
	Abort() error
}

// Spec describes the storage of a dataset.
type Spec struct {
	// Type is "float32", "float64", "int64" or "bool".
	Type string
	// Shape is the shape, empty for a scalar.
	Shape []int
	// Chunk, if not nil, is the shape of a chunk; each entry must divide that of Shape.
	// Chunks are compressed by shuffle and deflate at level Deflate, or not at all if
	// Deflate is 0.
	Chunk   []int
	Deflate int
}

// DatasetWriter writes the values of a dataset.
type DatasetWriter interface {
	// Float32 writes the block of count elements per axis at offset. The block must be
	// exactly one chunk of a chunked dataset; in a contiguous dataset it must consist of
	// full rows of the last axes, or be the whole array. Values are converted to the stored
	// type: a bool is true if the value is not 0. Elements that are never written are 0.
	Float32(values []float32, offset, count []int) error
	// Float64 is Float32 for float64 values.
	Float64(values []float64, offset, count []int) error
}
