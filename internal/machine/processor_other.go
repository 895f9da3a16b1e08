//go:build !unix && !windows

package machine

import (
	"fmt"
	"runtime"
)

// ProcessorSeconds returns an error: the system does not count processor time.
func ProcessorSeconds() (float64, error) {
	return 0, fmt.Errorf("processor time: %s does not count it", runtime.GOOS)
}
