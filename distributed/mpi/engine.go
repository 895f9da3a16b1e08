//go:build mpi && cgo

package mpi

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// ErrClosed is returned by calls after [Engine.Close].
var ErrClosed = errors.New("the engine is closed")

// started is set by the first Start: a process can initialise MPI only once.
var started atomic.Bool

// Engine is this process's place among the ranks of a run. Its methods may be called
// from any goroutine, and in the same order on every rank. After an error other than
// one of a context, of calls that differ between ranks or ErrClosed, MPI is of no
// further use; all later calls return the same error, and Abort is what is left to do.
type Engine struct {
	rank, size int

	mu     sync.Mutex
	queue  []*call // not yet seen by the thread that talks to MPI
	closed error   // why no further calls are accepted

	abortOnce sync.Once
	aborting  chan struct{} // closed by Abort

	server server
}

// Start initialises MPI. It can be called once per process. What MPI itself cannot
// do without, such as a connection to mpirun, it reports on stderr and ends the
// process.
func Start() (*Engine, error) {
	if !started.CompareAndSwap(false, true) {
		return nil, errors.New("mpi: expected one Start per process, got a second one")
	}
	e := &Engine{aborting: make(chan struct{})}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		err := e.open()
		ready <- err
		if err == nil {
			e.serve()
		}
	}()
	if err := <-ready; err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Engine) open() error {
	var rank, size C.int
	switch code := C.gw_open(&rank, &size); code {
	case C.GW_OK:
	case C.GW_NO_MEMORY:
		return errors.New("mpi: no memory for the buffers")
	case C.GW_FOREIGN:
		return errors.New("mpi: expected to initialise MPI, which another part of the program has done already")
	case C.GW_THREADS:
		return errors.New("mpi: expected a library with MPI_THREAD_FUNNELED, got one for programs without threads")
	default:
		return fmt.Errorf("mpi: start: %w", newError(code))
	}
	e.rank, e.size = int(rank), int(size)
	return nil
}

// Rank is this process's number, from 0.
func (e *Engine) Rank() int { return e.rank }

// Size is the number of processes.
func (e *Engine) Size() int { return e.size }

// Sum replaces values by their sum over all ranks, the same bits on each. It returns
// at once; values must be left alone until wait returns. Several sums can be under
// way; they end in the order of their calls.
func (e *Engine) Sum(values []float32) (wait func() error) {
	c := newCall(sum, len(values))
	c.values = values
	e.submit(c)
	return c.wait
}

// Broadcast replaces values by those of the rank root.
func (e *Engine) Broadcast(root int, values []byte) error {
	c := newCall(broadcast, len(values))
	c.bytes, c.root = values, root
	e.submit(c)
	return c.wait()
}

// Barrier returns when all ranks have called it. If ctx ends before that, Barrier
// returns its error. The rank has then arrived all the same: the others pass when the
// last of them comes, and the next call here meets their next call.
func (e *Engine) Barrier(ctx context.Context) error {
	c := newCall(barrier, 0)
	e.submit(c)
	select {
	case <-c.done:
		if ctx.Err() == nil {
			return c.err
		}
	case <-ctx.Done():
	}
	return e.because(c, context.Cause(ctx))
}

// Close waits for all calls to end and for all ranks to call it, and shuts MPI down.
// A program that ends without it is taken for a failure by mpirun.
func (e *Engine) Close() error {
	c := newCall(closing, 0)
	e.submit(c)
	return c.wait()
}

// submit hands a call to the thread that talks to MPI.
func (e *Engine) submit(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed != nil {
		c.end(e.closed)
		return
	}
	e.queue = append(e.queue, c)
	C.gw_wake()
}
