package walrus

import "sync"

// Weights holds and owns the tensors of a network under the release's keys, with the
// configuration, the scaling and the record of the training. See [TensorSet] for access to
// the tensors.
//
// Several goroutines may read at once, but no other call may run at the same time as
// [TensorSet.Set], [TensorSet.Place] or [TensorSet.Save]. [TensorSet.Close] may be called
// at any time.
type Weights struct {
	TensorSet
	config Config
	// coverage is the record of the training, nil if there is none.
	coverage *Coverage
	// scaling is the scaling of the training. If its statistics are empty, missing is
	// an error that says where they were expected, or nil.
	scaling Scaling
	missing error
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
	return &Weights{config: c, TensorSet: newTensorSet(params)}, nil
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
	if err := w.init(seed); err != nil {
		return nil, err
	}
	return w, nil
}

// Clone returns a copy in host memory.
func (w *Weights) Clone() (*Weights, error) {
	out := &Weights{TensorSet: newTensorSet(w.params), config: w.config, coverage: w.coverage.Clone(), scaling: w.scaling, missing: w.missing}
	if err := w.copyTo(&out.TensorSet); err != nil {
		return nil, err
	}
	out.sum = w.sum
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
