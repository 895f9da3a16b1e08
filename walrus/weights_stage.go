package walrus

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/gotype"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// stager makes tensors and holds each value in memory only once: in Go memory without
// a backend, in memory that host and device share if the backend has such memory, and
// otherwise on the device. In the last case all tensors pass through one host buffer.
type stager struct {
	backend compute.Backend
	device  int
	buffer  []float32
}

// tensor makes a float32 tensor of a parameter's shape with the values that fill
// writes. fill gets a slice of p.Size() values with unspecified content.
func (s *stager) tensor(p Param, fill func(dst []float32) error) (*tensors.Tensor, error) {
	return stage(s, shapes.Make(dtypes.Float32, p.Dims...), fill)
}

// stage makes a tensor of a shape with the values that fill writes.
func stage[T gotype.Supported](s *stager, shape shapes.Shape, fill func(dst []T) error) (*tensors.Tensor, error) {
	if s.backend != nil && !s.backend.HasSharedBuffers() {
		return upload(s, shape, fill)
	}
	t, err := tensors.FromShapeForBackend(s.backend, compute.DeviceNum(s.device), shape)
	if err != nil {
		return nil, err
	}
	var failed error
	err = tensors.MutableFlatData(t, func(values []T) { failed = fill(values) })
	if err == nil {
		err = failed
	}
	if err != nil {
		_ = t.FinalizeAll() // the first error tells more
		return nil, err
	}
	return t, nil
}

// upload fills host memory, for float32 the host buffer, and copies it to the device.
func upload[T gotype.Supported](s *stager, shape shapes.Shape, fill func(dst []T) error) (*tensors.Tensor, error) {
	var values []T
	if host, ok := any(&values).(*[]float32); ok {
		*host = s.host(shape.Size())
	} else {
		values = make([]T, shape.Size())
	}
	if err := fill(values); err != nil {
		return nil, err
	}
	buffer, err := s.backend.BufferFromFlatData(compute.DeviceNum(s.device), values, shape)
	if err != nil {
		return nil, err
	}
	return tensors.FromBuffer(buffer)
}

// host returns n values of the host buffer.
func (s *stager) host(n int) []float32 {
	if cap(s.buffer) < n {
		s.buffer = make([]float32, n)
	}
	return s.buffer[:n]
}

// checkFinite returns an error with the position of the first NaN or infinity
// of a tensor.
func checkFinite(values []float32, dims []int) error {
	if i := nonfinite.First(values); i >= 0 {
		return fmt.Errorf("expected finite values, got %v at %v", values[i], position(i, dims))
	}
	return nil
}

// position turns a row-major index into one index per axis.
func position(i int, dims []int) []int {
	at := make([]int, len(dims))
	for a := len(dims) - 1; a >= 0; a-- {
		at[a] = i % dims[a]
		i /= dims[a]
	}
	return at
}
