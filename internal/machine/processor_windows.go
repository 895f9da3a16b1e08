package machine

import (
	"fmt"
	"syscall"
)

// ProcessorSeconds returns the seconds that the processor has worked for this process, the
// sum over its cores.
func ProcessorSeconds() (float64, error) {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &ended, &kernel, &user); err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	sum := 0.0
	for _, t := range []syscall.Filetime{kernel, user} { // in units of 100 ns
		sum += float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) * 1e-7
	}
	return sum, nil
}
