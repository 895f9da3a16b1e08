//go:build cgo

package testbackend

import _ "github.com/gomlx/go-xla/compute/xla" // chosen with GOMLX_BACKEND=xla:cpu
