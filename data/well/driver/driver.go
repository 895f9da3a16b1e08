// Package driver defines what package well needs of an HDF5 library, in the
// manner of database/sql/driver: programs use package well, only drivers use
// this one.
//
// Paths inside a file are written "/t0_fields/density"; "/" is the root group.
// Open files and their datasets are safe for concurrent use.
package driver

import "errors"

// Driver opens and creates HDF5 files.
type Driver interface {
	// Open opens a file for reading. Its error names the file and what is wrong.
	Open(path string) (File, error)
	// Create makes a new file; an existing one is an error. A driver that only
	// reads returns ErrReadOnly.
	Create(path string) (Writer, error)
}

// ErrReadOnly is returned by Create of drivers that cannot write.
var ErrReadOnly = errors.New("the HDF5 driver only reads")

// ErrNotFound is wrapped by errors about a group, dataset or attribute that
// does not exist.
var ErrNotFound = errors.New("not found")

// File is an HDF5 file open for reading.
type File interface {
	// Children lists the names of a group's members in the order of the names.
	Children(group string) ([]string, error)
	// IsGroup reports whether the object at path exists and is a group.
	IsGroup(path string) (bool, error)
	// Attributes lists the names of an object's attributes in the order of the
	// names.
	Attributes(path string) ([]string, error)
	// Attribute reads one attribute. The value is a string, bool, int64 or
	// float64 for scalars and []string, []bool, []int64 or []float64 for
	// one-dimensional arrays. An empty array may have any of the slice types:
	// h5py stores an empty list of strings as an empty array of float64. A type
	// that has no such value is an error.
	Attribute(path, name string) (any, error)
	// Dataset opens a dataset.
	Dataset(path string) (Dataset, error)
	// Close closes the file; datasets must not be used any more.
	Close() error
}

// Dataset is an array in a file. Numbers of any size, byte order and sign, and
// enumerations, are converted to the type that is asked for.
type Dataset interface {
	// Shape is empty for a scalar. Callers must not change it.
	Shape() []int
	// Type is a short name of the stored type, for messages and reports:
	// "float32", "int8", "float32 big-endian", "bool", "string".
	Type() string
	// Chunk is the shape of a chunk, nil if the data are contiguous.
	Chunk() []int
	// Float32 reads the block of count elements per axis at offset into dst, row
	// major. dst must hold exactly as many elements. Both slices have one entry
	// per axis of Shape.
	Float32(dst []float32, offset, count []int) error
	// Float64 is the same for numbers that float32 cannot hold.
	Float64(dst []float64, offset, count []int) error
}

// Writer is an HDF5 file being written. Groups are made before their members.
type Writer interface {
	// Group makes a group whose parent exists.
	Group(path string) error
	// Attribute gives an object an attribute: a string, bool, int64, float64, or
	// a slice of one of these, stored as h5py does (strings of variable length in
	// UTF-8, bools as an enumeration FALSE = 0, TRUE = 1 of 8 bits, an empty slice
	// as an empty array of float64).
	Attribute(path, name string, value any) error
	// Dataset makes a dataset.
	Dataset(path string, spec Spec) (DatasetWriter, error)
	// Close completes the file.
	Close() error
	// Abort gives up: the file is closed and removed. After Close it does
	// nothing.
	Abort() error
}

// Spec says how a dataset is stored.
type Spec struct {
	// Type is "float32", "float64", "int64" or "bool".
	Type string
	// Shape is empty for a scalar.
	Shape []int
	// Chunk, if not nil, is the shape of the chunks; every entry divides the
	// shape's. Chunks are compressed with shuffle and deflate at level Deflate,
	// or stored as they are if that is 0.
	Chunk   []int
	Deflate int
}

// DatasetWriter fills a dataset.
type DatasetWriter interface {
	// Float32 writes the block of count elements per axis at offset. Of a chunked
	// dataset the block must be exactly one chunk, of a contiguous one any block
	// of full rows of the last axes or the whole. Values are converted to the
	// stored type; a bool is true where the value is not 0. Elements never written
	// are 0.
	Float32(values []float32, offset, count []int) error
	// Float64 is the same from float64.
	Float64(values []float64, offset, count []int) error
}
