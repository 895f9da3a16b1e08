package dpot

import (
	"fmt"

	"github.com/gowalrus/gowalrus/walrus"
)

// Weights holds and owns the tensors of a network, with its configuration. See
// [walrus.TensorSet] for access to the tensors and for concurrent use.
type Weights struct {
	*walrus.TensorSet
	config   Config
	settings map[string]any
}

// InitWeights returns initial weights in host memory, drawn from the original's
// distributions. A tensor's values depend only on the seed and on its key.
func InitWeights(c Config, seed uint64) (*Weights, error) {
	params, err := c.Params()
	if err != nil {
		return nil, err
	}
	set, err := walrus.InitTensors(params, seed)
	if err != nil {
		return nil, fmt.Errorf("dpot: %w", err)
	}
	return &Weights{TensorSet: set, config: c}, nil
}

// Config returns the network's configuration.
func (w *Weights) Config() Config { return w.config }

// Settings returns the settings of the training program that the weights were loaded with
// ([walrus.TensorFile]), nil if there were none. They must not be changed.
func (w *Weights) Settings() map[string]any { return w.settings }

// Clone returns a copy in host memory.
func (w *Weights) Clone() (*Weights, error) {
	set, err := w.TensorSet.Clone()
	if err != nil {
		return nil, err
	}
	return &Weights{TensorSet: set, config: w.config, settings: w.settings}, nil
}
