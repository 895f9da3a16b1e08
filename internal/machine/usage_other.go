//go:build !unix

package machine

import (
	"errors"
	"fmt"
	"runtime"
)

// Used returns an error: the system has no getrusage.
func Used() (Usage, error) {
	return Usage{}, fmt.Errorf("machine: CPU time and memory of the process on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
