//go:build mpi && cgo

package mpi

// #include "shim.h"
import "C"

import (
	"fmt"
	"os"
	"time"
)

// patience is the time that Abort gives MPI to end this process.
const patience = 2 * time.Second

// Abort prints "rank N of M: cause" on stderr and ends all ranks of the run, this one
// included, with exit status 1. It does not return.
func (e *Engine) Abort(cause error) {
	fmt.Fprintf(os.Stderr, "rank %d of %d: %v\n", e.rank, e.size, cause)
	e.abortOnce.Do(func() { close(e.aborting) })
	C.gw_wake()
	// If MPI is unreachable the exit of this rank ends the others: the program that
	// started them sees its status.
	time.Sleep(patience)
	os.Exit(1)
}
