//go:build mpi && cgo

package mpi

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
)

// newError returns MPI's text for an error code.
func newError(code C.int) error {
	var text [C.GW_TEXT]C.char
	if n := C.gw_text(code, &text[0]); n > 0 {
		return errors.New(C.GoStringN(&text[0], n))
	}
	return fmt.Errorf("MPI error %d, for which MPI has no text", int(code))
}

// wrap names the rank and the call that ended with code; it returns nil for success.
func (e *Engine) wrap(c *call, code C.int) error {
	if code == C.GW_OK {
		return nil
	}
	return e.because(c, newError(code))
}

func (e *Engine) because(c *call, err error) error {
	return fmt.Errorf("mpi: rank %d of %d: %v: %w", e.rank, e.size, c, err)
}
