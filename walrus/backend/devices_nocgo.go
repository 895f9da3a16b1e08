//go:build !cgo

package backend

import (
	"errors"

	"github.com/gomlx/compute"
)

// VirtualDevices returns an error: XLA needs a build with cgo.
func VirtualDevices(int) (compute.Backend, error) {
	return nil, errors.New("backend: virtual devices: expected a build with cgo, which XLA needs, got one without")
}
