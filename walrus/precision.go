package walrus

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Precision is the arithmetic of a network in emulation. Statistics, fields and the sum
// of field and change are float32 in all of them.
//
// TF32 is an option of the backend: CUDA devices compute products of float32 in TF32 by
// default, and GOMLX_BACKEND=xla:cuda,tf32=false turns it off.
// benchmarks/precision_2026-11-26.md measures the loss of accuracy.
type Precision int

const (
	// Float32 is the precision of training and of the release.
	Float32 Precision = iota
	// BFloat16 rounds weights, tokens and activations to 8 significant bits. It needs XLA
	// and is faster only on devices with bfloat16 arithmetic, not on CPUs.
	// experiments/cache measures the loss of accuracy.
	BFloat16
)

// String returns the name of the type.
func (p Precision) String() string {
	if p == BFloat16 {
		return "bfloat16"
	}
	return "float32"
}

// check returns an error unless the backend supports the precision.
func (p Precision) check(b compute.Backend) error {
	if p < Float32 || p > BFloat16 {
		return fmt.Errorf("precision: expected Float32 or BFloat16, got %d", int(p))
	}
	if p == BFloat16 && !strings.HasPrefix(b.Name(), "xla") {
		return fmt.Errorf("precision bfloat16: expected XLA, got backend %s", b.Name())
	}
	return nil
}

// dtype is the type of weights and activations.
func (p Precision) dtype() dtypes.DType {
	if p == BFloat16 {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}

// rounded holds weights in bfloat16, each with the float32 tensor that it was rounded
// from. Training replaces tensors; a tensor that was not replaced is not rounded again.
type rounded struct {
	exec *Exec
	made map[roundedKey]roundedTensor
}

type roundedKey struct {
	weights *Weights
	key     string
}

type roundedTensor struct{ from, to *tensors.Tensor }

// round returns a tensor rounded to bfloat16, on its device.
func (r *rounded) round(o EmulatorOptions, w *Weights, key string, t *tensors.Tensor) (*tensors.Tensor, error) {
	at := roundedKey{w, key}
	if old, ok := r.made[at]; ok {
		if old.from == t {
			return old.to, nil
		}
		old.to.FinalizeAll()
		delete(r.made, at)
	}
	if r.exec == nil {
		var err error
		if r.exec, err = NewExec(o.Backend, func(x *Node) *Node { return ConvertDType(x, dtypes.BFloat16) }); err != nil {
			return nil, err
		}
		r.exec.SetMaxCache(-1)
		r.made = map[roundedKey]roundedTensor{}
	}
	out, _, err := r.exec.CallWithGraphOnDevice(compute.DeviceNum(o.Device), t)
	if err != nil {
		return nil, err
	}
	r.made[at] = roundedTensor{t, out[0]}
	return out[0], nil
}

func (r *rounded) close() {
	for _, t := range r.made {
		t.to.FinalizeAll()
	}
	if r.exec != nil {
		r.exec.Finalize()
	}
	*r = rounded{}
}
