//go:build mpi && cgo

package mpi

import "fmt"

// kind is the operation of a call.
type kind int

const (
	barrier kind = iota
	sum
	broadcast
	closing
)

// call is one collective call of this rank.
type call struct {
	kind   kind
	length int
	root   int
	values []float32 // of a sum
	bytes  []byte    // of a broadcast

	compared bool // the comparison with the other ranks has started
	agreed   bool // and has succeeded
	begun    int  // values or bytes whose transfer has started
	open     int  // pieces in transfer

	done chan struct{}
	err  error // set before done is closed
}

func newCall(k kind, length int) *call {
	return &call{kind: k, length: length, done: make(chan struct{})}
}

func (c *call) wait() error {
	<-c.done
	return c.err
}

func (c *call) end(err error) {
	c.err = err
	close(c.done)
}

func (c *call) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// left returns the number of values or bytes whose transfer has not started.
func (c *call) left() int { return c.length - c.begun }

// String describes the call: "a sum of 10 values".
func (c *call) String() string {
	switch c.kind {
	case sum:
		return fmt.Sprintf("%v of %d values", c.kind, c.length)
	case broadcast:
		return fmt.Sprintf("%v of %d bytes from rank %d", c.kind, c.length, c.root)
	}
	return c.kind.String()
}

func (k kind) String() string {
	return [...]string{barrier: "a barrier", sum: "a sum", broadcast: "a broadcast", closing: "the end of the run"}[k]
}

// header is compared between ranks. It holds each number with its negative, so that the
// maxima over all ranks give the largest and the smallest.
type header [6]int64

func (c *call) header() header {
	k, n, r := int64(c.kind), int64(c.length), int64(c.root)
	return header{k, -k, n, -n, r, -r}
}

// check compares the call with the maxima of all ranks' headers. It returns the same
// verdict on all ranks.
func (c *call) check(most header, size int) error {
	high, low := kind(most[0]), kind(-most[1])
	other := high
	if other == c.kind {
		other = low
	}
	switch {
	case high != low:
		return fmt.Errorf("expected the same call on all ranks, got %v here and %v elsewhere", c, other)
	case most[2] != -most[3]:
		return fmt.Errorf("expected one length on all ranks, got %v here and lengths from %d to %d", c, -most[3], most[2])
	case most[4] != -most[5]:
		return fmt.Errorf("expected one root on all ranks, got %v here and roots from %d to %d", c, -most[5], most[4])
	case c.root < 0 || c.root >= size:
		return fmt.Errorf("expected a root from 0 to %d, got %v", size-1, c)
	}
	return nil
}
