package mpp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

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
