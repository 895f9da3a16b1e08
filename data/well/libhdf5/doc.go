// Package libhdf5 registers the driver "libhdf5" with package data/well: HDF5 by
// the library of the HDF Group, through gonum.org/v1/hdf5. It serves to check the
// driver in pure Go, and to read what that one does not.
//
//	import _ "github.com/gowalrus/gowalrus/data/well/libhdf5"
//	…
//	ds, err := well.Open(path, well.Options{Driver: "libhdf5"})
//
// It is empty without the build tag hdf5, which needs cgo and the library with its
// headers (Debian: libhdf5-dev):
//
//	go test -tags hdf5 ./data/well/...
//
// gonum/hdf5 opens and makes files and groups and lists their members. It has no
// attributes that are lists of strings, no conversion of types, no enumerations and
// no shuffle filter; for these there is a little C in shim.go. The library locks
// itself, so calls wait for each other.
package libhdf5
