//go:build mpi && cgo

package mpi

// #include "shim.h"
import "C"

import "fmt"

// server is the state of the thread that calls MPI; no other goroutine touches it.
//
// Transfers start strictly in the order of calls: first the comparison of a call, then,
// when it has succeeded, the pieces of that call, then the comparison of the next call.
// All ranks therefore start the same transfers in the same order, as MPI requires.
type server struct {
	calls []*call // in the order of submission, from the first that has not fully started
	slots [C.GW_SLOTS]piece
}

// serve runs until the engine is closed or MPI fails.
func (e *Engine) serve() {
	for {
		e.take()
		closed, err := e.begin()
		if closed {
			return
		}
		if err == nil {
			err = e.advance()
		}
		if err != nil {
			e.fail(err)
			<-e.aborting
			C.gw_abort(1)
		}
	}
}

// take collects new calls.
func (e *Engine) take() {
	select {
	case <-e.aborting:
		C.gw_abort(1)
	default:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.server.calls = append(e.server.calls, e.queue...)
	e.queue = nil
}

// begin starts all transfers that are next in order and find a free slot. It returns
// true when MPI is shut down.
func (e *Engine) begin() (closed bool, err error) {
	s := &e.server
	for len(s.calls) > 0 {
		c := s.calls[0]
		if !c.agreed {
			return false, e.compare(c)
		}
		for c.left() > 0 {
			slot := s.free()
			if slot < 0 {
				return false, nil
			}
			if err := e.send(slot, c); err != nil {
				return false, err
			}
		}
		s.calls = s.calls[1:]
		if c.kind == closing {
			return e.shut(c)
		}
		if c.open == 0 {
			c.end(nil)
		}
	}
	return false, nil
}

// compare starts the comparison of c with the calls of the other ranks.
func (e *Engine) compare(c *call) error {
	const slot = C.GW_PIECES
	if c.compared {
		return nil
	}
	c.compared = true
	*(*[C.GW_HEADER]int64)(C.gw_buffer(slot)) = c.header()
	e.server.slots[slot] = piece{call: c}
	return e.wrap(c, C.gw_agree(slot))
}

// advance waits until a transfer ends or a call arrives.
func (e *Engine) advance() error {
	slot := C.int(-1)
	code := C.gw_poll(&slot)
	if slot < 0 {
		if code != C.GW_OK {
			return fmt.Errorf("mpi: rank %d of %d: %w", e.rank, e.size, newError(code))
		}
		return nil
	}
	p := e.server.slots[slot]
	if err := e.wrap(p.call, code); err != nil {
		return err
	}
	e.server.slots[slot] = piece{}
	e.receive(int(slot), p)
	return nil
}

// shut waits for the pieces of earlier calls and shuts MPI down. These pieces may still
// be in transfer when the comparison of the last call has ended.
func (e *Engine) shut(c *call) (closed bool, err error) {
	for e.server.busy() {
		if err := e.advance(); err != nil {
			c.end(err)
			return false, err
		}
	}
	err = e.wrap(c, C.gw_close())
	e.refuse(fmt.Errorf("mpi: rank %d of %d: %w", e.rank, e.size, ErrClosed))
	c.end(err)
	return true, nil
}

// fail ends all current and later calls with err.
func (e *Engine) fail(err error) {
	for _, p := range e.server.slots {
		if p.call != nil && !p.call.ended() {
			p.call.end(err)
		}
	}
	for _, c := range e.server.calls {
		if !c.ended() {
			c.end(err)
		}
	}
	e.refuse(err)
}

// refuse ends the calls in the queue and all later calls with err.
func (e *Engine) refuse(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = err
	for _, c := range e.queue {
		c.end(err)
	}
	e.queue = nil
}
