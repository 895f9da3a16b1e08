package machine

import (
	"fmt"
	"os"
	"strings"
)

// Resident returns the resident memory of the process in bytes, now and the largest since the
// start or the last [ResetPeak].
func Resident() (now, peak int64, err error) {
	const file = "/proc/self/status"
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, fmt.Errorf("machine: resident memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			now = kib << 10
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			peak = kib << 10
		}
	}
	if now == 0 || peak == 0 {
		return 0, 0, fmt.Errorf("machine: resident memory: expected VmRSS and VmHWM in %s, got other lines", file)
	}
	return now, peak, nil
}

// ResetPeak makes the largest resident memory that [Resident] returns the current one. Systems
// other than Linux, and containers that forbid it, return an error.
func ResetPeak() error {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("machine: resetting the largest resident memory: %w", err)
	}
	return nil
}
