package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/walrus"
)

// params lists all tensors that may be trained: the tensors of the network, then the
// adapters.
func (t *Trainer) params() []walrus.Param {
	if t.lora == nil {
		return t.weights.Params()
	}
	return slices.Concat(t.weights.Params(), t.lora.params)
}

// trains reports whether a tensor of the network is trained itself.
func (t *Trainer) trains(p walrus.Param) bool {
	return !p.Init.Buffer && !t.frozen[p.Key] && (t.lora == nil || !t.lora.target[p.Key])
}

// value returns the tensor that programs get for a key: W₀ for an adapted tensor.
func (t *Trainer) value(key string) (*tensors.Tensor, error) {
	if t.lora != nil {
		for _, list := range []map[string]*tensors.Tensor{t.lora.values, t.lora.base} {
			if x, ok := list[key]; ok {
				return x, nil
			}
		}
	}
	if x, ok := t.weights.Tensor(key); ok {
		return x, nil
	}
	return nil, fmt.Errorf("train: the weights have no %s", key)
}

// setValue replaces the tensor of a key after an update.
func (t *Trainer) setValue(key string, x *tensors.Tensor) error {
	if t.lora != nil {
		if old, ok := t.lora.values[key]; ok {
			t.lora.values[key] = x
			return old.FinalizeAll()
		}
	}
	return t.weights.Set(key, x)
}

// updated recomputes the adapted tensors and the moving average after an update of the
// given keys.
func (t *Trainer) updated(keys []string) error {
	if t.lora != nil {
		if err := t.lora.apply(t.weights); err != nil {
			return err
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
			_, adapter := t.lora.values[key]
			return adapter
		})
		keys = append(keys, t.lora.keys...)
	}
	if t.average != nil {
		return t.average.add(t.weights, keys)
	}
	return nil
}

// Trainable returns the number of trained parameters, adapters included, and the number of
// parameters of the network without constants.
func (t *Trainer) Trainable() (trained, all int) {
	for _, p := range t.weights.Params() {
		if p.Init.Buffer {
			continue
		}
		all += p.Size()
		if t.trains(p) {
			trained += p.Size()
		}
	}
	if t.lora != nil {
		for _, p := range t.lora.params {
			trained += p.Size()
		}
	}
	return trained, all
}
