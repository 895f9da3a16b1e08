//go:build cgo

package backend

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// VirtualDevices opens XLA on the processor, which it divides into n virtual devices, to try
// programs for several devices on one machine. It needs a build with cgo and the plugin for
// CPUs.
func VirtualDevices(n int) (b compute.Backend, err error) {
	if n < 1 || n > maxVirtual {
		return nil, fmt.Errorf("backend: expected 1 to %d virtual devices, got %d", maxVirtual, n)
	}
	pjrt.SuppressAbseilLoggingHack(func() {
		b, err = xla.NewWithOptions("cpu", pjrt.NamedValuesMap{"cpu_device_count": int64(n)})
	})
	if err != nil {
		return nil, fmt.Errorf("backend: opening %d virtual devices of XLA on the processor: %w", n, err)
	}
	return b, nil
}

// maxVirtual bounds the number of virtual devices, each of which has threads.
const maxVirtual = 1024
