// Package step runs one step of a peer's network: a program of the weights and further
// inputs that returns the forecast and the next window.
package step

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/walrus"
)

// Weights are the tensors of a network, which a program takes by their keys.
type Weights struct {
	set    *walrus.TensorSet
	keys   []string
	device compute.DeviceNum
}

// NewWeights returns the weights of a set. It copies nothing.
func NewWeights(set *walrus.TensorSet) Weights {
	w := Weights{set: set}
	for _, p := range set.Params() {
		w.keys = append(w.keys, p.Key)
	}
	return w
}

// On returns the weights for programs on another device than the first.
func (w Weights) On(device compute.DeviceNum) Weights {
	w.device = device
	return w
}

// Use keeps the weights in memory until release is called (walrus.TensorSet.Use).
func (w Weights) Use() (release func(), err error) { return w.set.Use() }

// Run runs a program with the weights and further inputs. The program returns the forecast y
// and the next window, a tensor that the caller finalizes.
func (w Weights) Run(program *inputs.Program, more inputs.List) (y []float32, next *tensors.Tensor, err error) {
	values, err := w.set.Tensors(w.keys)
	if err != nil {
		return nil, nil, err
	}
	var list inputs.List
	for i, key := range w.keys {
		list.Add(key, values[i])
	}
	out, err := program.Call(w.device, append(list, more...))
	if err != nil {
		return nil, nil, err
	}
	defer out[0].FinalizeAll()
	if y, err = tensors.CopyFlatData[float32](out[0]); err != nil {
		out[1].FinalizeAll()
		return nil, nil, err
	}
	return y, out[1], nil
}
