//go:build unix

package machine

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// Used returns the resources that the process has used so far. On systems without
// getrusage the error is [errors.ErrUnsupported].
func Used() (Usage, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return Usage{}, fmt.Errorf("machine: getrusage: %w", err)
	}
	peak := int64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" { // which count bytes, the others KiB
		peak <<= 10
	}
	return Usage{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), Peak: peak}, nil
}
