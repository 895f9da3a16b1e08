//go:build race && linux

package distributed

import (
	"os"
	"syscall"
	"testing"
)

// TestMain ends the process at once. The race detector would run the C library's exit
// handlers, in which XLA's plugin frees twice; the tests have their verdict by then.
func TestMain(m *testing.M) {
	code := m.Run()
	os.Stdout.Sync()
	syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(code), 0, 0)
}
