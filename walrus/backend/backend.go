// Package backend chooses the gomlx backend for programs that leave the choice to the
// machine. The library itself never chooses: everything else has a parameter for the
// compute.Backend.
//
//	b, err := backend.Default()
//
// # Beware
//
// The pure Go backend in its default configuration, "go", can deadlock on graphs as
// large as a transformer's. Its pool has 2·GOMAXPROCS places. An operation holds one
// while it runs, and a matrix product that runs inside such a place waits for further
// places to start its own workers. When as many products as there are places have
// started and none has a worker, each holds the place that another waits for. A larger
// bound does not avoid this: a graph with that many products ready at once, or several
// programs at a time, fills any pool.
//
// This package removes the bound of the pool ("go:parallelism=-1" in gomlx's syntax).
// Then nothing waits for a place, as compute v0.1.6 shows: each operation and each
// chunk of element-wise work gets a goroutine, and everything that it waits for is
// always running. A product starts at least one worker before it waits, and waits for a
// signal that every worker gives when it ends. A signal may wake a product whose
// workers are not done; it then waits again after the others, and its own workers still
// have signals to give. A signal may wake a product that is done, which passes it on.
// So while anything waits a worker runs, and the signal of the last worker passes
// through all that wait.
//
// The cost: ready operations run concurrently, so more buffers are alive, and a panic
// in a kernel, which only a defect of the backend can cause, ends the process. With
// GOMLX_BACKEND=go:ops_sequential operations run one after the other, only matrix
// products use all cores, and such a panic is an error.
package backend

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // available in every build
)

// Env is the environment variable that overrides the choice, in gomlx's syntax:
// "go:ops_sequential", "xla:cpu", "xla:cuda,tf32=false".
const Env = "GOMLX_BACKEND"

// The configurations of the pure Go backend that do not deadlock.
const (
	goConfig     = "go:parallelism=-1"
	goSequential = "go:ops_sequential"
)

// Choice is the backend that Default chose and the reason.
type Choice struct {
	Config string // in gomlx's syntax
	Why    string
}

// Default opens the backend that GOMLX_BACKEND names, if it is set. Otherwise it opens
// XLA in builds with cgo that find an installed PJRT plugin, CUDA before CPU, and else
// the pure Go backend. It downloads nothing. It logs the choice once, to slog.Default.
func Default() (compute.Backend, error) {
	b, _, err := Open()
	return b, err
}

// Open opens the same backend as Default and also returns the choice.
func Open() (compute.Backend, Choice, error) {
	c := choose()
	b, err := open(c)
	if err != nil {
		return nil, c, fmt.Errorf("backend: opening %q (%s): %w", c.Config, c.Why, err)
	}
	slog.Info("backend", "config", c.Config, "why", c.Why, "description", b.Description())
	return b, c, nil
}

// Pick opens the backend for a program: the one that GOMLX_BACKEND names, if it is set;
// otherwise the choice of [Default] if auto is true, and the pure Go backend if not.
func Pick(auto bool) (compute.Backend, error) {
	if auto || os.Getenv(Env) != "" {
		return Default()
	}
	return Go()
}

// Go opens the pure Go backend.
func Go() (compute.Backend, error) { return newBackend(goConfig) }

// choose applies the rules of Default without opening anything.
func choose() Choice {
	switch config := os.Getenv(Env); config {
	case "":
	case "go":
		return Choice{goConfig, Env + "=go, in a form that does not deadlock"}
	default:
		return Choice{config, Env + " is set"}
	}
	if config := xlaPlugin(); config != "" {
		return Choice{config, "an installed PJRT plugin was found"}
	}
	return Choice{goConfig, whyNoXLA}
}
