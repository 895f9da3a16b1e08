//go:build !mpi || !cgo

package mpi

import (
	"errors"

	"github.com/gowalrus/gowalrus/distributed"
)

// Engine is the type that [Start] returns in programs built with the tag mpi. In this
// build Start never returns one; the type exists so that programs compile.
type Engine struct{ distributed.Alone }

// Close does nothing in this build.
func (*Engine) Close() error { return nil }

// Start returns an error in this build, which lacks MPI.
func Start() (*Engine, error) {
	return nil, errors.New("mpi: expected a program built with MPI, got one without: " +
		"build it with cgo and the tag mpi (CGO_ENABLED=1 go build -tags mpi), " +
		"which needs a C compiler and Open MPI (on Debian: libopenmpi-dev, openmpi-bin, pkg-config)")
}
