//go:build !mpi || !cgo

package mpi

import (
	"errors"

	"github.com/gowalrus/gowalrus/distributed"
)

// Engine is what a program built with the tag mpi gets from [Start]. In this build
// there is none; the type is that of a single process, for programs to compile.
type Engine struct{ distributed.Alone }

// Close does nothing in this build.
func (*Engine) Close() error { return nil }

// Start returns an error in this build, which lacks MPI.
func Start() (*Engine, error) {
	return nil, errors.New("mpi: expected a program built with MPI, got one without: " +
		"build it with cgo and the tag mpi (CGO_ENABLED=1 go build -tags mpi), " +
		"which needs a C compiler and Open MPI (on Debian: libopenmpi-dev, openmpi-bin, pkg-config)")
}
