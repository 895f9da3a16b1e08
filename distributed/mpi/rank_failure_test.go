//go:build mpi && cgo

package mpi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// The cases of this file end one rank while the others wait for it.

func lateRank(e *Engine, act func()) error {
	if err := e.Barrier(context.Background()); err != nil {
		return err
	}
	if e.Rank() == min(2, e.Size()-1) {
		time.Sleep(300 * time.Millisecond) // the others are waiting by now
		act()
	}
	return e.Sum(make([]float32, 1<<20))()
}

func aborts(e *Engine) error {
	return lateRank(e, func() { e.Abort(errors.New("group 1, shear_flow, step 17: no such file")) })
}

func killed(e *Engine) error {
	return lateRank(e, func() { syscall.Kill(os.Getpid(), syscall.SIGKILL) })
}

// lost kills MPI's own process on a rank's host, as a crash of the machine would.
func lost(e *Engine) error {
	return lateRank(e, func() { syscall.Kill(os.Getppid(), syscall.SIGKILL) })
}

// unplugged pulls the network cable of a rank's host.
func unplugged(e *Engine) error {
	return lateRank(e, func() {
		if out, err := exec.Command("ip", "link", "set", "eth0", "down").CombinedOutput(); err != nil {
			e.Abort(fmt.Errorf("pull the cable: %w: %s", err, out))
		}
	})
}

func panics(e *Engine) error {
	return lateRank(e, func() { panic("this rank panics") })
}

func exits(e *Engine) error {
	return lateRank(e, func() { os.Exit(7) })
}

// broken makes MPI refuse a transfer. All later calls must return its error, and Abort
// must still work.
func broken(e *Engine) error {
	c := newCall(broadcast, 1)
	c.bytes, c.root = make([]byte, 1), 99
	c.agreed = true // not compared, or the engine would have refused it before
	waiting := e.Sum(make([]float32, 1<<20))
	e.submit(c)
	first := c.wait()
	waiting() // the wait must end, with or without an error
	if err := e.Barrier(context.Background()); err == nil || err.Error() != first.Error() {
		return fmt.Errorf("expected %v again, got %v", first, err)
	}
	return first
}
