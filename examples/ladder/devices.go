//go:build cgo

package main

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// devices opens n virtual devices of this machine's processor.
func devices(n int) (b compute.Backend, err error) {
	pjrt.SuppressAbseilLoggingHack(func() {
		b, err = xla.NewWithOptions("cpu", pjrt.NamedValuesMap{"cpu_device_count": int64(n)})
	})
	return b, err
}
