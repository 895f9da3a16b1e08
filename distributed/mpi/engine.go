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

// Engine is this process among the ranks of a run. Its methods may be called from any
// goroutine, and in the same order on every rank. Errors of a context, of calls that
// differ between ranks and ErrClosed leave the engine usable. After any other error all
// later calls return that error, and only Abort remains possible.
type Engine struct {
	rank, size int

	mu     sync.Mutex
	queue  []*call // not yet seen by the thread that calls MPI
	closed error   // why no more calls are accepted

	abortOnce sync.Once
	aborting  chan struct{} // closed by Abort

	server server
}

// Start initialises MPI. It can be called once per process. If MPI lacks something that
// it needs, such as a connection to mpirun, MPI itself reports it on stderr and ends
// the process.
func Start() (*Engine, error) {
	if !started.CompareAndSwap(false, true) {
		return nil, errors.New("mpi: expected one Start per process, got a second one")
	}
	e := &Engine{aborting: make(chan struct{})}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this function
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

// Rank returns the number of this process, counted from 0.
func (e *Engine) Rank() int { return e.rank }

// Size returns the number of processes.
func (e *Engine) Size() int { return e.size }

// Sum replaces values by their sum over all ranks, with the same bits on each. It
// returns at once; the caller must not touch values until wait returns. Several sums
// can be in progress; they end in the order of their calls.
func (e *Engine) Sum(values []float32) (wait func() error) {
	c := newCall(sum, len(values))
	c.values = values
	e.submit(c)
	return c.wait
}

// Broadcast replaces values by those of rank root.
func (e *Engine) Broadcast(root int, values []byte) error {
	c := newCall(broadcast, len(values))
	c.bytes, c.root = values, root
	e.submit(c)
	return c.wait()
}

// Barrier returns when all ranks have called it. If ctx ends first, Barrier returns the
// error of ctx. The rank still counts as arrived: the others pass when the last of them
// arrives, and the next call here matches their next call.
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
// mpirun reports a program that exits without Close as a failure.
func (e *Engine) Close() error {
	c := newCall(closing, 0)
	e.submit(c)
	return c.wait()
}

// submit passes a call to the thread that calls MPI.
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
