package torchpt

import (
	"fmt"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// Tensor describes one tensor of the file. Its values stay in the file until they are
// read.
type Tensor struct {
	// Name is the key under which File.Tensors or File.StateDict found it;
	// empty for tensors taken from Root or Lookup.
	Name string
	// DType is the element type in the notation of package safetensors: "F32", "I64".
	DType string
	// Shape is empty for a scalar. It must not be changed.
	Shape []int

	strides  []int // in elements
	offset   int64 // of the first element, in elements
	elements int
	storage  *storage
}

// Elements returns the number of values.
func (t *Tensor) Elements() int { return t.elements }

// ReadFloat32 reads the values, row major, into dst, whose length must be Elements.
// Other dtypes are converted as by safetensors.DecodeFloat32. Views (transposed,
// sliced, expanded) are read in row-major order.
func (t *Tensor) ReadFloat32(dst []float32) error {
	return read(t, dst, safetensors.DecodeFloat32)
}

// Float32 returns the values, row major.
func (t *Tensor) Float32() ([]float32, error) {
	dst := make([]float32, t.elements)
	if err := t.ReadFloat32(dst); err != nil {
		return nil, err
	}
	return dst, nil
}

// Int64s returns the values of an integer or bool tensor, row major.
func (t *Tensor) Int64s() ([]int64, error) {
	dst := make([]int64, t.elements)
	if err := read(t, dst, safetensors.DecodeInt64); err != nil {
		return nil, err
	}
	return dst, nil
}

// decoder converts little-endian bytes of a dtype.
type decoder[T any] func(dtype string, dst []T, src []byte) error

func read[T any](t *Tensor, dst []T, decode decoder[T]) error {
	err := error(nil)
	if len(dst) != t.elements {
		err = fmt.Errorf("expected a destination of %d values for shape %v, got %d", t.elements, t.Shape, len(dst))
	} else if t.elements > 0 {
		err = gather(t, dst, decode)
	}
	if err != nil {
		return fmt.Errorf("torchpt: %s: tensor %q: %w", t.storage.file.name, t.Name, err)
	}
	return nil
}
