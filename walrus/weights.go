package walrus

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"
)

// Weights holds and owns the tensors of a network under the release's keys. They are
// float32, each either in host memory or on one device of a backend.
//
// Several goroutines may read at once, but no other call may run at the same time as
// [Weights.Set], [Weights.Place], [Weights.Save] or [Weights.Finalize].
type Weights struct {
	config Config
	params []Param
	index  map[string]int // key → position in params and values
	values []*tensors.Tensor
	// coverage is the record of the training, nil if there is none.
	coverage *Coverage
	// scaling is the scaling of the training. If its statistics are empty, missing is
	// an error that says where they were expected, or nil.
	scaling Scaling
	missing error
	// sum is the SHA-256 of the weights in the manifest that they were loaded with, empty
	// without one and once a tensor has changed.
	sum string
	// placing is held while an emulator moves tensors to a device. device is the number
	// of that device plus 1, or 0 before the first move.
	placing sync.Mutex
	device  int
}

// newWeights returns the weights of a network without values.
func newWeights(c Config) (*Weights, error) {
	params, err := c.Params()
	if err != nil {
		return nil, err
	}
	w := &Weights{config: c, params: params, index: make(map[string]int, len(params)),
		values: make([]*tensors.Tensor, len(params))}
	for i, p := range params {
		w.index[p.Key] = i
	}
	return w, nil
}

// InitWeights returns initial weights in host memory, drawn from the reference's
// default distributions (docs/reference.md §7.4). A tensor's values depend only on the
// seed and on its key.
func InitWeights(c Config, seed uint64) (*Weights, error) {
	w, err := newWeights(c)
	if err != nil {
		return nil, err
	}
	w.coverage = &Coverage{}
	// Every tensor has its own generator, so that the order of tensors does not matter.
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
		w.Finalize()
		return nil, err
	}
	return w, nil
}

// Clone returns a copy in host memory.
func (w *Weights) Clone() (*Weights, error) {
	out, err := newWeights(w.config)
	if err != nil {
		return nil, err
	}
	out.coverage, out.scaling, out.missing = w.coverage.Clone(), w.scaling, w.missing
	for i, t := range w.values {
		if t == nil {
			out.Finalize()
			return nil, fmt.Errorf("walrus: weights: %s: expected a value, got finalized weights", w.params[i].Key)
		}
		err := withValues(t, func(v []float32) error {
			out.values[i] = tensors.FromFlatDataAndDimensions(v, w.params[i].Dims...)
			return nil
		})
		if err != nil {
			out.Finalize()
			return nil, fmt.Errorf("walrus: weights: %s: %w", w.params[i].Key, err)
		}
	}
	return out, nil
}

// Config returns the network's configuration.
func (w *Weights) Config() Config { return w.config }

// Coverage returns the record of the windows that the weights were trained on. It is
// empty for initial weights. It is nil if there is no record: the manifest of a
// checkpoint has one, a file of weights alone does not.
func (w *Weights) Coverage() *Coverage { return w.coverage }

// SetCoverage replaces the record. Weights and caller share c.
func (w *Weights) SetCoverage(c *Coverage) { w.coverage = c }

// Params lists the tensors in the order of the release's state dict. The slice
// must not be changed.
func (w *Weights) Params() []Param { return w.params }

// Tensor returns the tensor of a key, and false if the network has no such key or the
// weights were finalized. w still owns the tensor.
func (w *Weights) Tensor(key string) (*tensors.Tensor, bool) {
	i, ok := w.index[key]
	if !ok || w.values[i] == nil {
		return nil, false
	}
	return w.values[i], true
}

// Tensors returns the tensors of several keys in the order of the keys, as inputs of a
// program. The error lists every key that is missing.
func (w *Weights) Tensors(keys []string) ([]*tensors.Tensor, error) {
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
func (w *Weights) live() int {
	n := 0
	for _, t := range w.values {
		if t != nil {
			n++
		}
	}
	return n
}

// Set replaces the tensor of a key by t, which must have the shape listed by Params and
// type float32. w then owns t and frees the old tensor.
func (w *Weights) Set(key string, t *tensors.Tensor) error {
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
func (w *Weights) Place(backend compute.Backend) error {
	if backend == nil {
		return errors.New("walrus: weights: expected a backend to place them on, got none")
	}
	for i, t := range w.values {
		if t == nil {
			return fmt.Errorf("walrus: weights: %s: expected a value, got finalized weights", w.params[i].Key)
		}
		if err := t.MaterializeOnDevice(backend, true, 0); err != nil {
			return fmt.Errorf("walrus: weights: %s: placing on %s: %w", w.params[i].Key, backend.Name(), err)
		}
		t.FinalizeLocal()
	}
	return nil
}

// Finalize frees device and host memory immediately. The weights are empty afterwards,
// and a second call does nothing. No program that uses the weights may be running.
func (w *Weights) Finalize() {
	for i, t := range w.values {
		if t != nil {
			// The only possible error is a buffer that its backend has already freed.
			_ = t.FinalizeAll()
		}
		w.values[i] = nil
	}
}
