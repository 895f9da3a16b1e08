//go:build unix

package machine

import (
	"fmt"
	"syscall"
	"time"
)

// ProcessorSeconds returns the seconds that the processor has worked for this process, the
// sum over its cores.
func ProcessorSeconds() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds(), nil
}
