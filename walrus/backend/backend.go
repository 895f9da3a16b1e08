// Package backend chooses the gomlx backend for programs that do not want to.
// The library itself never chooses: everything else takes a compute.Backend.
//
//	b, err := backend.Default()
//
// # Beware
//
// The pure Go backend in its default form, "go", can deadlock on graphs as large as a
// transformer's. Its pool has 2·GOMAXPROCS places. An operation holds one while it runs,
// and a matrix product that runs inside such a place waits for further ones to start its
// own workers. Once as many products as there are places have begun and none has a
// worker, each holds what the others wait for. No larger bound avoids this: a graph with
// that many products ready at once, or several programs at a time, fills any.
//
// This package takes the bound off the pool ("go:parallelism=-1" in gomlx's syntax).
// Then nothing waits for a place, as can be read in compute v0.1.6: operations and
// chunks of element-wise work get a goroutine each, and what they wait for is always
// running. A product starts at least one worker before it waits, and waits for a signal
// that every worker gives when it ends. A signal may wake a product whose workers are
// not done; it waits again behind the others, and its own workers still have signals to
// give. It may wake one that is done, which passes it on. So as long as anything waits a
// worker runs, and the signal of the last one goes through all that wait.
//
// What it costs: operations that are ready run at the same time, so some more buffers
// are alive, and a panic in a kernel of the backend, which only a defect of it can
// cause, ends the process. With GOMLX_BACKEND=go:ops_sequential operations run one
// after the other, matrix products alone use all cores, and such a panic is an error.
package backend

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // always available
)

// Env is the environment variable that overrides the choice, in gomlx's own
// syntax: "go:ops_sequential", "xla:cpu", "xla:cuda,tf32=false".
const Env = "GOMLX_BACKEND"

// The forms of the pure Go backend that do not deadlock.
const (
	goConfig     = "go:parallelism=-1"
	goSequential = "go:ops_sequential"
)

// Choice says what Default chose and why.
type Choice struct {
	Config string // in gomlx's syntax
	Why    string
}

// Default opens the backend named by GOMLX_BACKEND if set; else XLA, in builds
// with cgo that find an installed PJRT plugin, CUDA before CPU; else the pure
// Go backend. Nothing is downloaded. The choice is logged once, to
// slog.Default.
func Default() (compute.Backend, error) {
	b, _, err := Open()
	return b, err
}

// Open is Default that also returns the choice.
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
// else the choice of [Default] if auto is true, and the pure Go backend if not.
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
