package walrus

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/gotype"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/internal/lifetime"
)

// TensorSet holds and owns the tensors of a network, of this library or of another kind,
// under the keys of its state dict, each either in host memory or on one device of a
// backend. They are float32 unless they were loaded with [LoadOptions.Weights].
//
// Several goroutines may read at once, but no other call may run at the same time as
// [TensorSet.Set], [TensorSet.Place] or [TensorSet.Save]. [TensorSet.Close] may be called
// at any time.
type TensorSet struct {
	params []Param
	index  map[string]int // key → position in params and values
	values []*tensors.Tensor
	// as is the precision of the values, and scales holds those of int8 values, else nil.
	as     Precision
	scales []*tensors.Tensor
	uses   lifetime.Uses
	// sum is the SHA-256 of the weights in the manifest that they were loaded with, empty
	// without one and once a tensor has changed.
	sum string
}

// newTensorSet returns the tensors of a network without values.
func newTensorSet(params []Param) TensorSet {
	index := make(map[string]int, len(params))
	for i, p := range params {
		index[p.Key] = i
	}
	return TensorSet{params: params, index: index, values: make([]*tensors.Tensor, len(params)), scales: make([]*tensors.Tensor, len(params))}
}

// InitTensors returns tensors with initial values in host memory. A tensor's values depend
// only on the seed and on its key.
func InitTensors(params []Param, seed uint64) (*TensorSet, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	w := newTensorSet(params)
	if err := w.init(seed); err != nil {
		return nil, err
	}
	return &w, nil
}

// checkParams returns an error if a network cannot have these tensors.
func checkParams(params []Param) error {
	keys := make(map[string]bool, len(params))
	for _, p := range params {
		size := 1
		for _, d := range p.Dims {
			if d < 1 || size > math.MaxInt32/d {
				return fmt.Errorf("walrus: weights: %s: expected lengths from 1 and at most %d values, got %v", p.Key, math.MaxInt32, p.Dims)
			}
			size *= d
		}
		if keys[p.Key] {
			return fmt.Errorf("walrus: weights: expected every key once, got %s twice", p.Key)
		}
		keys[p.Key] = true
	}
	return nil
}

// init draws the initial value of every tensor. Every tensor has its own generator, so
// that the order of tensors does not matter.
func (w *TensorSet) init(seed uint64) error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range w.params {
		work.Go(func() (err error) {
			s := stager{}
			w.values[i], err = s.tensor(p, func(dst []float32) error { return p.Init.Fill(dst, seed, p.Key) })
			if err != nil {
				return fmt.Errorf("walrus: initial weights: %s: %w", p.Key, err)
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		w.Close()
		return err
	}
	return nil
}

// Clone returns a copy in host memory.
func (w *TensorSet) Clone() (*TensorSet, error) {
	out := newTensorSet(w.params)
	if err := w.copyTo(&out); err != nil {
		return nil, err
	}
	return &out, nil
}

// copyTo copies the values to host memory. out is a set without values for the same
// network.
func (w *TensorSet) copyTo(out *TensorSet) error {
	done, err := w.Use()
	if err != nil {
		return fmt.Errorf("walrus: weights: %w", err)
	}
	defer done()
	out.as = w.as
	for i, t := range w.values {
		if out.values[i], err = localCopy(t); err == nil && w.scales[i] != nil {
			out.scales[i], err = localCopy(w.scales[i])
		}
		if err != nil {
			out.Close()
			return fmt.Errorf("walrus: weights: %s: %w", w.params[i].Key, err)
		}
	}
	return nil
}

// localCopy copies a tensor to host memory.
func localCopy(t *tensors.Tensor) (*tensors.Tensor, error) {
	kept := t.HasLocal() || t.IsShared()
	out, err := t.LocalClone()
	if !kept {
		t.FinalizeLocal()
	}
	return out, err
}

// Precision returns the type in which the matrices and kernels are held. Only emulators take
// weights that are not held in float32.
func (w *TensorSet) Precision() Precision { return w.as }

// Params lists the tensors in the order of the state dict. The slice must not be changed.
func (w *TensorSet) Params() []Param { return w.params }

// Tensor returns the tensor of a key, and false if the network has no such key or the
// weights were finalized. w still owns the tensor. If the weights are not held in float32,
// matrices and kernels are bfloat16, or int8 without their scales.
func (w *TensorSet) Tensor(key string) (*tensors.Tensor, bool) {
	i, ok := w.index[key]
	if !ok || w.values[i] == nil {
		return nil, false
	}
	return w.values[i], true
}

// Tensors returns the tensors of several keys in the order of the keys, as inputs of a
// program. The error lists every key that is missing.
func (w *TensorSet) Tensors(keys []string) ([]*tensors.Tensor, error) {
	out := make([]*tensors.Tensor, len(keys))
	var unknown []string
	for i, key := range keys {
		var ok bool
		if out[i], ok = w.Tensor(key); !ok {
			unknown = append(unknown, key)
		}
	}
	if unknown != nil {
		return nil, fmt.Errorf("walrus: weights: expected keys of this network, which has %d tensors, got %s",
			w.live(), strings.Join(unknown, ", "))
	}
	return out, nil
}

// live returns the number of tensors with values.
func (w *TensorSet) live() int {
	n := 0
	for _, t := range w.values {
		if t != nil {
			n++
		}
	}
	return n
}

// Set replaces the tensor of a key by t, which must have the shape listed by Params and
// type float32. w then owns t and frees the old tensor. Tensors that were freed can be set
// again.
func (w *TensorSet) Set(key string, t *tensors.Tensor) error {
	i, ok := w.index[key]
	if !ok {
		return fmt.Errorf("walrus: weights: expected a key of this network, got %q", key)
	}
	if t == nil || !t.Ok() {
		return fmt.Errorf("walrus: weights: %s: expected a tensor, got none or a finalized one", key)
	}
	if s := t.Shape(); s.DType != dtypes.Float32 || !slices.Equal(s.Dimensions, w.params[i].Dims) {
		return fmt.Errorf("walrus: weights: %s: expected Float32 %v, got %v %v", key, w.params[i].Dims, s.DType, s.Dimensions)
	}
	if w.as != Float32 {
		return fmt.Errorf("walrus: weights: %s: the weights are held in %v: expected weights in float32 to change (LoadOptions.Weights)", key, w.as)
	}
	if !w.uses.Reopen() {
		return fmt.Errorf("walrus: weights: %s: %w and are still in use", key, ErrWeightsClosed)
	}
	old := w.values[i]
	w.values[i], w.sum = t, ""
	if old == nil || old == t {
		return nil
	}
	if err := old.FinalizeAll(); err != nil {
		return fmt.Errorf("walrus: weights: %s: freeing the old value: %w", key, err)
	}
	return nil
}

// Place moves every tensor to the first device of a backend and frees the host
// copies, one after the other. Programs move their inputs to the device, too, but on
// devices with separate memory they keep the host copy.
func (w *TensorSet) Place(backend compute.Backend) error {
	if backend == nil {
		return errors.New("walrus: weights: expected a backend to place them on, got none")
	}
	done, err := w.Use()
	if err != nil {
		return fmt.Errorf("walrus: weights: placing on %s: %w", backend.Name(), err)
	}
	defer done()
	for i, p := range w.params {
		for _, t := range []*tensors.Tensor{w.values[i], w.scales[i]} {
			if t == nil {
				continue
			}
			if err := t.MaterializeOnDevice(backend, true, 0); err != nil {
				return fmt.Errorf("walrus: weights: %s: placing on %s: %w", p.Key, backend.Name(), err)
			}
			t.FinalizeLocal()
		}
	}
	return nil
}

// ErrWeightsClosed is the error of a use of weights after [TensorSet.Close].
var ErrWeightsClosed = errors.New("the weights were freed")

// Use keeps the weights in memory until done is called, once. It returns
// [ErrWeightsClosed] after Close. Emulators call it for every rollout, and trainers
// for their lifetime; programs that read tensors while another goroutine may free the
// weights do the same.
func (w *TensorSet) Use() (done func(), err error) {
	if !w.uses.Enter() {
		return nil, ErrWeightsClosed
	}
	return w.uses.Leave, nil
}

// Close frees device and host memory. If rollouts, a trainer or another use still need
// the weights, the last of them frees the memory when it ends; no new use begins before
// [TensorSet.Set] gives the weights values again. Further calls do nothing.
func (w *TensorSet) Close() { w.uses.Close(w.free) }

func (w *TensorSet) free() {
	for i := range w.values {
		w.held(i).free()
		w.values[i], w.scales[i] = nil, nil
	}
}

// held returns tensor i with its scales.
func (w *TensorSet) held(i int) held { return held{w.values[i], w.scales[i]} }

// visit calls visit with the float32 values of tensor i. visit must not keep the slice.
func (w *TensorSet) visit(i int, visit func([]float32) error) error {
	return w.held(i).widened(w.params[i], w.as, visit)
}

// withValues calls visit with a tensor's values and then frees the host copy that it
// made, if any. visit must not keep the slice.
func withValues[T gotype.Supported](t *tensors.Tensor, visit func([]T) error) error {
	kept := t.HasLocal() || t.IsShared()
	var failed error
	err := tensors.ConstFlatData(t, func(v []T) { failed = visit(v) })
	if !kept {
		t.FinalizeLocal()
	}
	if err != nil {
		return err
	}
	return failed
}
