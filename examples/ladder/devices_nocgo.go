//go:build !cgo

package main

import (
	"errors"

	"github.com/gomlx/compute"
)

// devices returns an error: several devices exist on XLA only.
func devices(int) (compute.Backend, error) {
	return nil, errors.New("trial: expected a build with cgo, which XLA needs, got one without")
}
