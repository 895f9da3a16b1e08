package machine

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestMemory(t *testing.T) {
	n := Memory()
	if runtime.GOOS == "linux" && (n < 1<<20 || n > 1<<50) {
		t.Errorf("expected the machine's memory, got %d bytes", n)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(12345678))
	if got := Memory(); got != 12345678 {
		t.Errorf("expected the limit 12345678, got %d", got)
	}
}
