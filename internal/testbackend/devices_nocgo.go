//go:build !cgo

package testbackend

import (
	"testing"

	"github.com/gomlx/compute"
)

// Devices skips the test: XLA needs cgo.
func Devices(tb testing.TB, n int) compute.Backend {
	tb.Helper()
	tb.Skip("several devices exist on XLA only, which needs cgo")
	return nil
}
