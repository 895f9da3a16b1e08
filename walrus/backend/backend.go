// Package backend chooses the gomlx backend for programs that do not want to.
// The library itself never chooses: everything else takes a compute.Backend.
//
//	b, err := backend.Default()
//
// # Beware
//
// The pure Go backend in its default form can deadlock on graphs as large as a
// transformer's training step. This package always uses its sequential form,
// "go:ops_sequential", in which operations run one after the other and each
// uses all cores.
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

// goConfig is the form of the pure Go backend that does not deadlock.
const goConfig = "go:ops_sequential"

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

// Pick opens what a program's switch asks for: the pure Go backend, or with auto what
// [Default] chooses.
func Pick(auto bool) (compute.Backend, error) {
	if auto {
		return Default()
	}
	return Go()
}

// Go opens the pure Go backend.
func Go() (compute.Backend, error) { return compute.NewWithConfig(goConfig) }

// choose applies the rules of Default without opening anything.
func choose() Choice {
	switch config := os.Getenv(Env); config {
	case "":
	case "go":
		return Choice{goConfig, Env + "=go, in the form that does not deadlock"}
	default:
		return Choice{config, Env + " is set"}
	}
	if config := xlaPlugin(); config != "" {
		return Choice{config, "an installed PJRT plugin was found"}
	}
	return Choice{goConfig, whyNoXLA}
}

// newBackend is compute.NewWithConfig with its panic on an unknown name turned
// into an error.
func newBackend(config string) (b compute.Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return compute.NewWithConfig(config)
}
