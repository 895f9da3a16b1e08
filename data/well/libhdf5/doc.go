// Package libhdf5 registers the driver "libhdf5" with package data/well. It uses the HDF
// Group's HDF5 library through gonum.org/v1/hdf5, to check the pure Go driver and to read
// files that the pure Go driver cannot read.
//
//	import _ "github.com/gowalrus/gowalrus/data/well/libhdf5"
//	…
//	ds, err := well.Open(path, well.Options{Driver: "libhdf5"})
//
// The package is empty without the build tag hdf5, which needs cgo and the library with its
// headers (Debian: libhdf5-dev):
//
//	go test -tags hdf5 ./data/well/...
//
// gonum/hdf5 opens and creates files and groups and lists their members. It lacks
// attributes that are lists of strings, type conversion, enumerations and the shuffle
// filter; shim.go adds these in C. The library has a global lock, so calls do not run in
// parallel.
package libhdf5
