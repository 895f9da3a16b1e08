//go:build mpi && cgo

package mpi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/internal/enginetest"
)

var _ distributed.Engine = (*Engine)(nil)

// caseVariable names the case that a rank runs. The tests start the test binary under
// mpirun with this variable.
const caseVariable = "GOWALRUS_MPI_CASE"

// cases are the programs of ranks; an error aborts the run.
var cases = map[string]func(*Engine) error{
	"check":     func(e *Engine) error { return enginetest.Check(e) },
	"huge":      huge,
	"mismatch":  mismatches,
	"advance":   advances,
	"nil":       recovers,
	"abort":     aborts,
	"kill":      killed,
	"panic":     panics,
	"exit":      exits,
	"broken":    broken,
	"where":     where,
	"lost":      lost,
	"unplugged": unplugged,
	"benchmark": benchmark,
}

func TestMain(m *testing.M) {
	name, isRank := os.LookupEnv(caseVariable)
	if !isRank {
		os.Exit(m.Run())
	}
	e, err := Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("pid %d\n", os.Getpid())
	if err := cases[name](e); err != nil {
		e.Abort(err)
	}
	if err := closes(e); err != nil {
		e.Abort(err)
	}
	fmt.Printf("rank %d of %d passed\n", e.Rank(), e.Size())
}

// closes ends the run and checks that later calls fail.
func closes(e *Engine) error {
	if err := e.Close(); err != nil {
		return err
	}
	for name, err := range map[string]error{
		"close":     e.Close(),
		"sum":       e.Sum(make([]float32, 1))(),
		"broadcast": e.Broadcast(0, make([]byte, 1)),
		"barrier":   e.Barrier(context.Background()),
	} {
		if !errors.Is(err, ErrClosed) {
			return fmt.Errorf("%s after the end: expected %v, got %v", name, ErrClosed, err)
		}
	}
	if _, err := Start(); err == nil {
		return errors.New("expected an error of a second Start")
	}
	return nil
}

// huge broadcasts more bytes than a C int can count.
func huge(e *Engine) error {
	const n, step = 1<<31 + 5, 1<<20 + 7
	letter := func(i int) byte { return byte(i>>20 + i + 1) }
	b := make([]byte, n)
	if e.Rank() == 1 {
		for i := 0; i < n; i += step {
			b[i] = letter(i)
		}
		b[n-1] = 77
	}
	if err := e.Broadcast(1, b); err != nil {
		return err
	}
	for i := 0; i < n; i += step {
		if b[i] != letter(i) {
			return fmt.Errorf("byte %d: expected %d, got %d", i, letter(i), b[i])
		}
	}
	if b[n-1] != 77 {
		return fmt.Errorf("last byte: expected 77, got %d", b[n-1])
	}
	return nil
}

// mismatches makes calls that differ between ranks. Each must give all ranks an error
// that describes the calls, and the next call must work.
func mismatches(e *Engine) error {
	last := e.Rank() == e.Size()-1
	pick := func(here, elsewhere string) string {
		if last {
			return here
		}
		return elsewhere
	}
	check := func(err error, want string) error {
		if prefix := fmt.Sprintf("mpi: rank %d of %d: ", e.Rank(), e.Size()); err == nil || err.Error() != prefix+want {
			return fmt.Errorf("expected %q, got %v", prefix+want, err)
		}
		return e.Sum(make([]float32, 3))()
	}
	n := 3
	if last {
		n = 1 << 21
	}
	err := check(e.Sum(make([]float32, n))(), fmt.Sprintf(
		"expected one length on all ranks, got a sum of %d values here and lengths from 3 to %d", n, 1<<21))
	if err != nil {
		return err
	}
	root := min(e.Rank(), 1)
	err = check(e.Broadcast(root, make([]byte, 2)), fmt.Sprintf(
		"expected one root on all ranks, got a broadcast of 2 bytes from rank %d here and roots from 0 to 1", root))
	if err != nil {
		return err
	}
	err = check(e.Broadcast(e.Size(), nil), fmt.Sprintf(
		"expected a root from 0 to %d, got a broadcast of 0 bytes from rank %d", e.Size()-1, e.Size()))
	if err != nil {
		return err
	}
	if last {
		err = e.Close()
	} else {
		err = e.Barrier(context.Background())
	}
	return check(err, "expected the same call on all ranks, got "+
		pick("the end of the run here and a barrier elsewhere", "a barrier here and the end of the run elsewhere"))
}

// advances starts a sum and computes, without another call, until it has ended.
func advances(e *Engine) error {
	values := make([]float32, 8<<20)
	for i := range values {
		values[i] = 1
	}
	wait := e.Sum(values)
	e.mu.Lock()
	queued := len(e.queue)
	e.mu.Unlock()
	if queued > 1 {
		return fmt.Errorf("expected at most one call in the queue, got %d", queued)
	}
	var ended atomic.Bool
	go func() {
		wait()
		ended.Store(true)
	}()
	x := 1.0
	for begin := time.Now(); !ended.Load(); x = x*1.0000001 + 1e-9 {
		if time.Since(begin) > 20*time.Second {
			return errors.New("the sum has not advanced in 20 s of computing")
		}
	}
	if got := values[len(values)-1]; got != float32(e.Size()) {
		return fmt.Errorf("expected %d, got %v", e.Size(), got)
	}
	return nil
}

// recovers checks that MPI has kept Go's signal handlers: a nil pointer dereference is
// a panic that can be recovered.
func recovers(e *Engine) (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("expected a panic")
		}
	}()
	var p *Engine
	return errors.New(strconv.Itoa(p.size))
}

// where checks that the ranks, and the engine, are on different hosts.
func where(e *Engine) error {
	const room = 64
	names := make([]byte, room*e.Size())
	for rank := range e.Size() {
		name := names[rank*room:][:room]
		if rank == e.Rank() {
			host, err := os.Hostname()
			if err != nil {
				return err
			}
			copy(name, host)
		}
		if err := e.Broadcast(rank, name); err != nil {
			return err
		}
		for other := range rank {
			if bytes.Equal(name, names[other*room:][:room]) {
				return fmt.Errorf("expected ranks %d and %d on different hosts, got both on %s", rank, other, name)
			}
		}
	}
	return enginetest.Check(e)
}
