package poseidon

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/layers"
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
// distributions: normal with standard deviation 0.02 for linear layers and convolutions,
// factors of 1e-6 for the blocks between encoder and decoder. Scale and shift of conditioned
// norms are almost zero at first. A tensor's values depend only on the seed and on its key.
func InitWeights(c Config, seed uint64) (*Weights, error) {
	params, err := c.Params()
	if err != nil {
		return nil, err
	}
	return initWeights(c, params, seed)
}

func initWeights(c Config, params []walrus.Param, seed uint64) (*Weights, error) {
	set, err := walrus.InitTensors(params, seed)
	if err != nil {
		return nil, fmt.Errorf("poseidon: initial weights: %w", err)
	}
	return &Weights{TensorSet: set, config: c}, nil
}

// Clone returns a copy in host memory.
func (w *Weights) Clone() (*Weights, error) {
	if w.TensorSet == nil {
		return nil, errors.New("poseidon: weights: expected tensors, got none")
	}
	set, err := w.TensorSet.Clone()
	if err != nil {
		return nil, err
	}
	return &Weights{TensorSet: set, config: w.config}, nil
}

// WithGrid returns weights for another grid (see [Config.Grid]), which use the tensors of w
// without copying them. A network with an embedding of positions has only its own grid.
func (w *Weights) WithGrid(height, width int) (*Weights, error) {
	c := w.config
	c.Grid = [2]int{height, width}
	if c.Positions && c.Grid != w.config.Grid {
		return nil, fmt.Errorf("poseidon: weights for the grid %v: expected %v, the grid of the embedding of positions", c.Grid, w.config.Grid)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("poseidon: weights for the grid %v: %w", c.Grid, err)
	}
	return &Weights{TensorSet: w.TensorSet, config: c}, nil
}

// WithChannels returns a copy in host memory for other numbers of input and output channels,
// for finetuning on other fields (Walrus paper, appendix B.3). Tensors whose shape changes,
// up to four, get torch's default initial values, as in the original: the kernel of the
// patch embedding, and kernel, bias and smoothing kernel of the patch recovery. All others
// are copied. The copy's loss has one group for each output channel.
func (w *Weights) WithChannels(in, out int, seed uint64) (*Weights, error) {
	if w.TensorSet == nil {
		return nil, errors.New("poseidon: weights: expected tensors, got none")
	}
	c := w.config
	c.Name, c.InChannels, c.OutChannels, c.Groups = "", in, out, nil
	for bound := 0; out < 1<<12 && bound <= out; bound++ {
		c.Groups = append(c.Groups, bound)
	}
	params, err := c.Params()
	if err != nil {
		return nil, fmt.Errorf("poseidon: weights for %d and %d channels: %w", in, out, err)
	}
	old := w.Params()
	for i, p := range params {
		if !slices.Equal(p.Dims, old[i].Dims) {
			params[i].Init = layers.FanIn(fanIn(c, p))
		}
	}
	made, err := initWeights(c, params, seed)
	if err != nil {
		return nil, err
	}
	if err := made.copyFrom(w); err != nil {
		made.Close()
		return nil, fmt.Errorf("poseidon: weights for %d and %d channels: %w", in, out, err)
	}
	return made, nil
}

// fanIn returns what torch counts as the fan-in of a tensor whose shape depends on the
// number of channels. Kernel and bias of a transposed convolution count its output channels.
func fanIn(c Config, p walrus.Param) int {
	if p.Key == "patch_recovery.projection.weight" || p.Key == "patch_recovery.projection.bias" {
		return c.OutChannels * c.Patch * c.Patch
	}
	return p.Size() / p.Dims[0]
}

// copyFrom copies the tensors of src that have the same shape.
func (w *Weights) copyFrom(src *Weights) error {
	old := src.Params()
	for i, p := range w.Params() {
		if !slices.Equal(p.Dims, old[i].Dims) {
			continue
		}
		from, ok := src.Tensor(p.Key)
		if !ok {
			return fmt.Errorf("%s: expected a value, got finalized weights", p.Key)
		}
		values, err := tensors.CopyFlatData[float32](from)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		if err := w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...)); err != nil {
			return err
		}
	}
	return nil
}
