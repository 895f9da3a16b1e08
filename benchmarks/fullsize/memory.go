package main

import (
	"fmt"
	"runtime/debug"

	"github.com/gowalrus/gowalrus/internal/machine"
)

// peak returns the process's peak resident memory in MiB, on systems that report it
// (Linux).
func peak() string {
	_, bytes, err := machine.Resident()
	if err != nil {
		return "unknown"
	}
	return fmt.Sprint(bytes >> 20)
}

// resetPeak frees unused memory and resets the peak.
func resetPeak() error {
	debug.FreeOSMemory()
	// Without the right to reset, the peak includes the first phase.
	_ = machine.ResetPeak()
	return nil
}
