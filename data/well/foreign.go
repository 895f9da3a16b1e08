package well

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ForeignError says that a file or a folder holds data of another layout than The Well's.
// Package data/convert/mapping reads most of them.
type ForeignError struct {
	// Path is the file or the folder, or its address.
	Path string
	// Err is the fault. It names the path.
	Err error
}

// Error names the fault and the command that reads the data.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%v: the layout is not The Well's: gowalrus import --guess PATH begins a mapping that imports other files (in Go: package data/convert/mapping)", e.Err)
}

// Unwrap returns the fault.
func (e *ForeignError) Unwrap() error { return e.Err }

// signature begins every HDF5 file, at 0 or at a power of two from 512 on.
var signature = []byte("\x89HDF\r\n\x1a\n")

// foreign returns err, as a ForeignError if the file is not HDF5.
func (p place) foreign(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || p.isHDF5(name) {
		return err
	}
	return &ForeignError{p.show(name), err}
}

// isHDF5 reports whether a file has the signature, or cannot be read.
func (p place) isHDF5(name string) bool {
	f, err := p.open(name)
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, len(signature))
	for at := int64(0); at < 1<<20; at = max(512, 2*at) {
		if _, err := f.ReadAt(head, at); err != nil {
			return !errors.Is(err, io.EOF)
		}
		if bytes.Equal(head, signature) {
			return true
		}
	}
	return false
}
