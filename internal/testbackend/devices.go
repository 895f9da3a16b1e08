//go:build cgo

package testbackend

import (
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// Devices returns an XLA backend of n virtual CPU devices. It skips the test if
// GOMLX_BACKEND does not ask for XLA.
func Devices(tb testing.TB, n int) compute.Backend {
	tb.Helper()
	if !strings.HasPrefix(os.Getenv("GOMLX_BACKEND"), "xla:cpu") {
		tb.Skip("several devices exist on XLA only: GOMLX_BACKEND=xla:cpu (.ci/run, phase xla)")
	}
	b, err := xla.NewWithOptions("cpu", pjrt.NamedValuesMap{"cpu_device_count": int64(n)})
	if err != nil {
		tb.Fatalf("opening %d CPU devices: %v", n, err)
	}
	tb.Cleanup(b.Finalize)
	return b
}
