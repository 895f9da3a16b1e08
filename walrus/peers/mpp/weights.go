package mpp

import (
	"fmt"

	"github.com/gowalrus/gowalrus/walrus"
)

// Weights holds and owns the tensors of a network. See [walrus.TensorSet] for access to the
// tensors.
type Weights struct {
	*walrus.TensorSet
	config Config
}

// Config returns the network's configuration.
func (w *Weights) Config() Config { return w.config }

// InitWeights returns initial weights in host memory, drawn from the original's
// distributions: torch's defaults, factors of 1e-6 for all branches, and standard normal
// bias tables. A tensor's values depend only on the seed and on its key.
func InitWeights(c Config, seed uint64) (*Weights, error) {
	params, err := c.Params()
	if err != nil {
		return nil, err
	}
	set, err := walrus.InitTensors(params, seed)
	if err != nil {
		return nil, fmt.Errorf("mpp: initial weights: %w", err)
	}
	return &Weights{TensorSet: set, config: c}, nil
}

// Clone returns a copy in host memory.
func (w *Weights) Clone() (*Weights, error) {
	set, err := w.TensorSet.Clone()
	if err != nil {
		return nil, err
	}
	return &Weights{TensorSet: set, config: w.config}, nil
}
