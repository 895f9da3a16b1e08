package walrus

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Precision is a type of numbers in emulation: that of the arithmetic
// ([EmulatorOptions.Precision]) or that in which weights are held in memory
// ([EmulatorOptions.Weights]). Statistics, fields and the sum of field and change are
// float32 in all of them.
//
// TF32 is an option of the backend: CUDA devices compute products of float32 in TF32 by
// default, and GOMLX_BACKEND=xla:cuda,tf32=false turns it off.
// benchmarks/precision_2026-11-26.md measures the loss of accuracy.
type Precision int

const (
	// Float32 is the precision of training and of the release.
	Float32 Precision = iota
	// BFloat16 has 8 significant bits. As arithmetic it rounds weights, tokens and
	// activations; it needs XLA and is faster only on devices with bfloat16 arithmetic, not
	// on CPUs. As type of held weights it halves their memory on every backend.
	// experiments/cache and benchmarks/weights_2026-11-30.md measure the loss of accuracy.
	BFloat16
	// Int8 is a type of held weights only. A weight is an integer from −127 to 127 times
	// the float32 scale of its output channel, the largest magnitude of the channel divided
	// by 127. It takes a quarter of the memory of float32.
	Int8
)

// String returns the name of the type.
func (p Precision) String() string {
	switch p {
	case BFloat16:
		return "bfloat16"
	case Int8:
		return "int8"
	}
	return "float32"
}

// ParsePrecision returns the precision with the given name: float32, bfloat16 or int8.
func ParsePrecision(name string) (Precision, error) {
	for p := Float32; p <= Int8; p++ {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("walrus: precision: expected float32, bfloat16 or int8, got %q", name)
}

// check returns an error unless the backend computes in the precision.
func (p Precision) check(b compute.Backend) error {
	if p < Float32 || p > BFloat16 {
		return fmt.Errorf("precision: expected Float32 or BFloat16, got %d", int(p))
	}
	if p == BFloat16 && !strings.HasPrefix(b.Name(), "xla") {
		return fmt.Errorf("precision bfloat16: expected XLA, got backend %s", b.Name())
	}
	return nil
}

// checkWeights returns an error unless weights can be held in the precision.
func (p Precision) checkWeights() error {
	if p < Float32 || p > Int8 {
		return fmt.Errorf("weights: expected Float32, BFloat16 or Int8, got %d", int(p))
	}
	return nil
}

// dtype is the type of weights and activations in arithmetic.
func (p Precision) dtype() dtypes.DType {
	if p == BFloat16 {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}

// narrows reports whether a tensor is held in a type shorter than float32, and the axis of
// its output channels. Only the matrices and kernels of products are; vectors, tables of
// biases and position embeddings are small and stay float32.
func (p Precision) narrows(q Param) (axis int, ok bool) {
	if p == Float32 || len(q.Dims) < 2 || q.Key == "ape" || strings.HasSuffix(q.Key, ".relative_attention_bias.weight") {
		return 0, false
	}
	if strings.HasPrefix(q.Key, "debed.") { // transposed convolutions: [in, out, …]
		return 1, true
	}
	return 0, true
}

// bytes returns the memory of a tensor held in the precision, its scales included.
func (p Precision) bytes(q Param) int64 {
	n := int64(q.Size())
	axis, ok := p.narrows(q)
	switch {
	case !ok:
		return 4 * n
	case p == BFloat16:
		return 2 * n
	}
	return n + 4*int64(q.Dims[axis])
}
