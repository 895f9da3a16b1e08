package train

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// average is the exponential moving average of weights.
type average struct {
	backend compute.Backend
	decay   float64
	weights *walrus.Weights
	execs   map[int]*Exec // by the number of tensors
}

func newAverage(b compute.Backend, w *walrus.Weights, decay float64) (*average, error) {
	if !(decay > 0 && decay < 1) {
		return nil, fmt.Errorf("train: moving average: expected a decay between 0 and 1, got %v", decay)
	}
	clone, err := w.Clone()
	if err != nil {
		return nil, err
	}
	clone.SetCoverage(w.Coverage()) // both are of the same training
	return &average{backend: b, decay: decay, weights: clone, execs: map[int]*Exec{}}, nil
}

// add updates the average with the tensors that were updated. The average starts at the
// initial weights.
func (a *average) add(w *walrus.Weights, keys []string) error {
	exec, err := a.program(len(keys))
	if err != nil {
		return err
	}
	args := make([]any, 2*len(keys))
	for i, key := range keys {
		now, ok := w.Tensor(key)
		old, have := a.weights.Tensor(key)
		if !ok || !have {
			return fmt.Errorf("train: moving average: the weights have no %s", key)
		}
		donated, err := DonateTensorBuffer(old, a.backend, 0)
		if err != nil {
			return fmt.Errorf("train: moving average: %s: %w", key, err)
		}
		args[i], args[len(keys)+i] = donated, now
	}
	out, err := exec.Call(args...)
	if err != nil {
		return fmt.Errorf("train: moving average: %w", err)
	}
	return a.set(keys, out)
}

func (a *average) set(keys []string, values []*tensors.Tensor) error {
	for i, key := range keys {
		if err := a.weights.Set(key, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// program returns the compiled program that averages n tensors.
func (a *average) program(n int) (exec *Exec, err error) {
	if exec, ok := a.execs[n]; ok {
		return exec, nil
	}
	exec, err = NewExec(a.backend, func(in []*Node) []*Node {
		out := make([]*Node, n)
		for i := range n {
			out[i] = Add(MulScalar(in[i], a.decay), MulScalar(in[n+i], 1-a.decay))
		}
		return out
	})
	if err != nil {
		return nil, fmt.Errorf("train: building the moving average: %w", err)
	}
	a.execs[n] = exec
	return exec, nil
}

func (a *average) close() {
	for _, exec := range a.execs {
		exec.Finalize()
	}
	a.weights.Finalize()
}
