//go:build mpi && cgo

package mpi

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// piece is a part of a call in a slot's buffer. A free slot has no call.
type piece struct {
	call   *call
	lo, hi int
}

// pieceBytes returns the length of a piece. On 2 and 4 ranks of one machine pieces of 1
// MB, among 1 to 8, were the fastest for sums of many MB; they fit into the processor's
// caches. With more ranks MPI cuts a piece into more messages, which must not become
// tiny.
func pieceBytes(ranks int) int {
	return max(1<<20, min(ranks<<17, C.GW_BYTES))
}

// free returns a free slot, -1 if there is none.
func (s *server) free() int {
	for i := range s.slots[:C.GW_PIECES] {
		if s.slots[i].call == nil {
			return i
		}
	}
	return -1
}

// busy reports whether a transfer is in progress.
func (s *server) busy() bool {
	for _, p := range s.slots {
		if p.call != nil {
			return true
		}
	}
	return false
}

// send starts the transfer of the next piece of c.
func (e *Engine) send(slot int, c *call) error {
	var code C.int
	p := piece{call: c, lo: c.begun}
	switch buffer := C.gw_buffer(C.int(slot)); c.kind {
	case sum:
		p.hi = p.lo + min(pieceBytes(e.size)/4, c.left())
		copy(floats(buffer), c.values[p.lo:p.hi])
		code = C.gw_sum(C.int(slot), C.int(p.hi-p.lo))
	case broadcast:
		p.hi = p.lo + min(pieceBytes(e.size), c.left())
		if c.root == e.rank {
			copy(raw(buffer), c.bytes[p.lo:p.hi])
		}
		code = C.gw_broadcast(C.int(slot), C.int(p.hi-p.lo), C.int(c.root))
	}
	c.begun = p.hi
	c.open++
	e.server.slots[slot] = p
	return e.wrap(c, code)
}

// receive copies the result of a transfer.
func (e *Engine) receive(slot int, p piece) {
	c, buffer := p.call, C.gw_buffer(C.int(slot))
	if slot == C.GW_PIECES {
		if err := c.check(*(*[C.GW_HEADER]int64)(buffer), e.size); err != nil {
			e.server.calls = e.server.calls[1:]
			c.end(fmt.Errorf("mpi: rank %d of %d: %w", e.rank, e.size, err))
			return
		}
		c.agreed = true
		if e.size == 1 {
			c.begun = c.length // nothing to transfer
		}
		return
	}
	switch {
	case c.kind == sum:
		copy(c.values[p.lo:p.hi], floats(buffer))
	case c.root != e.rank:
		copy(c.bytes[p.lo:p.hi], raw(buffer))
	}
	c.open--
	if c.open == 0 && c.left() == 0 {
		c.end(nil)
	}
}

// floats and raw return a slot's buffer.
func floats(buffer unsafe.Pointer) []float32 {
	return unsafe.Slice((*float32)(buffer), C.GW_BYTES/4)
}

func raw(buffer unsafe.Pointer) []byte {
	return unsafe.Slice((*byte)(buffer), C.GW_BYTES)
}
