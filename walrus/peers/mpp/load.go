package mpp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/walrus"
)

// Load reads a weight file. It reads
//
//   - the published files MPP_AViT_Ti, _S, _B and _L, which hold a state dict alone,
//   - the files .tar of the original's trainer, whose state dict is at "model_state",
//   - .safetensors files with the same names,
//
// by their content, whatever the name of the file. Names may have the prefix "module.". The
// configuration follows from the shapes of the tensors; see [ReadConfig].
//
// Unless the options allow them, one [walrus.LoadError] lists every tensor that is missing,
// unexpected or of another shape. The report is returned with an error, too, unless the
// file could not be read.
func Load(path string, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	c, err := ReadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	return LoadAs(path, c, o)
}

// LoadAs is [Load] for a file whose network has the given configuration.
func LoadAs(path string, c Config, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	params, err := c.Params()
	if err != nil {
		return nil, nil, err
	}
	set, report, err := walrus.LoadTensors(path, params, o)
	if err != nil {
		return nil, report, err
	}
	return &Weights{TensorSet: set, config: c}, report, nil
}

// Save writes the weights as the original's published files: a PyTorch file with the state
// dict alone. The file appears under its name only when it is complete.
func (w *Weights) Save(path string) error {
	return w.SaveTorch(path, walrus.TorchLayout{})
}

// ReadConfig returns the configuration of the network whose tensors a weight file holds. It
// has the name of the preset with these sizes, if there is one, and the presets' drop-path
// rate.
func ReadConfig(path string) (Config, error) {
	f, err := walrus.ListTensors(path)
	if err != nil {
		return Config{}, err
	}
	c, err := configOf(f)
	if err != nil {
		return Config{}, fmt.Errorf("mpp: %s: %w", path, err)
	}
	return c, nil
}

func configOf(f *walrus.TensorFile) (Config, error) {
	// length returns the length of an axis of the first of several tensors that exists.
	length := func(axis, rank int, names ...string) (int, error) {
		for _, name := range names {
			shape, ok := f.Shape(name)
			switch {
			case ok && len(shape) == rank:
				return shape[axis], nil
			case ok:
				return 0, fmt.Errorf("%s: expected a tensor with %d axes, got the shape %v", name, rank, shape)
			}
		}
		return 0, fmt.Errorf("expected the tensor %s of an MPP network, got none among %d tensors at %s",
			strings.Join(names, " or "), len(f.Tensors), f.Where)
	}
	const block = "blocks.0.spatial.rel_pos_bias."
	c := Config{DropPath: Ti().DropPath}
	var errs [3]error
	c.States, errs[0] = length(1, 2, "space_bag.weight")
	c.Hidden, errs[1] = length(0, 4, "embed.in_proj.6.weight")
	c.Heads, errs[2] = length(1, 2, block+"relative_attention_bias.weight")
	if _, ok := f.Shape(block + "cpb_mlp.2.weight"); ok {
		c.Bias = BiasContinuous
		c.Heads, errs[2] = length(0, 2, block+"cpb_mlp.2.weight")
	}
	for _, t := range f.Tensors {
		name, ok := strings.CutPrefix(t.Name, "blocks.")
		number, _, found := strings.Cut(name, ".")
		if i, err := strconv.Atoi(number); ok && found && err == nil {
			c.Blocks = max(c.Blocks, i+1)
		}
	}
	if err := errors.Join(errs[:]...); err != nil {
		return Config{}, err
	}
	for _, p := range Presets() {
		named := c
		if named.Name = p.Name; named == p {
			c = named
		}
	}
	return c, c.Validate()
}

// Expand returns a copy with columns for more fields, as the original's
// expand_projections: new states get initial values and the indices after those of the
// old states; all other weights are copied. Because the mixing of fields is scaled by
// √(States/C), the forecasts of all fields change.
func (w *Weights) Expand(more int, seed uint64) (*Weights, error) {
	if more < 1 {
		return nil, fmt.Errorf("mpp: expanding weights: expected at least one more state, got %d", more)
	}
	return w.withStates(w.config.States+more, w.config.States, seed)
}

// ResetFields returns a copy with the given number of states, whose columns all have
// initial values, for finetuning on other fields (Walrus paper, appendix B.3). All other
// weights are copied.
func (w *Weights) ResetFields(states int, seed uint64) (*Weights, error) {
	return w.withStates(states, 0, seed)
}

// withStates returns a copy with another number of states, the first kept of which are
// copied. The others have initial values.
func (w *Weights) withStates(states, kept int, seed uint64) (*Weights, error) {
	c := w.config
	c.Name, c.States = "", states
	out, err := InitWeights(c, seed)
	if err != nil {
		return nil, err
	}
	if err := out.copyFrom(w, kept); err != nil {
		out.Finalize()
		return nil, fmt.Errorf("mpp: weights with %d states: %w", states, err)
	}
	return out, nil
}

// copyFrom copies the tensors of src. Of tensors with columns for states it copies the first
// kept columns.
func (w *Weights) copyFrom(src *Weights, kept int) error {
	for _, p := range w.Params() {
		from, ok := src.Tensor(p.Key)
		if !ok {
			return fmt.Errorf("%s: expected a value, got finalized weights", p.Key)
		}
		values, err := tensors.CopyFlatData[float32](from)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		if axis := stateAxis(p.Key); axis >= 0 {
			own, _ := w.Tensor(p.Key)
			initial, err := tensors.CopyFlatData[float32](own)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Key, err)
			}
			copyColumns(initial, values, p.Dims, src.config.States, axis, kept)
			values = initial
		}
		if err := w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...)); err != nil {
			return err
		}
	}
	return nil
}

// stateAxis returns the axis of a tensor that has one column for each state, or -1.
func stateAxis(key string) int {
	switch key {
	case "space_bag.weight", "debed.out_kernel":
		return 1
	case "debed.out_bias":
		return 0
	}
	return -1
}

// copyColumns copies the first kept columns of src to dst. dst has the shape dims; src has
// the same shape but for states columns on the given axis.
func copyColumns(dst, src []float32, dims []int, states, axis, kept int) {
	outer, inner := 1, 1
	for a, d := range dims {
		if a < axis {
			outer *= d
		} else if a > axis {
			inner *= d
		}
	}
	for row := range outer {
		copy(dst[row*dims[axis]*inner:][:kept*inner], src[row*states*inner:])
	}
}
