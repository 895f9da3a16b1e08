//go:build !linux

package machine

import (
	"errors"
	"fmt"
	"runtime"
)

// Resident returns an error: only Linux shows the memory since a given moment.
func Resident() (now, peak int64, err error) {
	return 0, 0, fmt.Errorf("machine: resident memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// ResetPeak returns an error, as [Resident] does.
func ResetPeak() error {
	_, _, err := Resident()
	return err
}
