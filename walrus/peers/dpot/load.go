package dpot

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/walrus"
)

// Load reads weights from a published file (model_Ti.pth, …), or from any other file of
// torch or .safetensors file with a state dict of this network. The configuration is that
// of [ReadConfig]. Options, report and errors are those of [walrus.LoadTensors].
func Load(path string, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	list, err := walrus.ListTensors(path)
	if err != nil {
		return nil, nil, fmt.Errorf("dpot: %w", err)
	}
	c, err := configIn(list)
	if err != nil {
		return nil, nil, err
	}
	return load(path, c, list.Settings, o)
}

// LoadAs is [Load] for a network of the given configuration, for example one of other modes
// than the file's settings say.
func LoadAs(path string, c Config, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	list, err := walrus.ListTensors(path)
	if err != nil {
		return nil, nil, fmt.Errorf("dpot: %w", err)
	}
	return load(path, c, list.Settings, o)
}

func load(path string, c Config, settings map[string]any, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	params, err := c.Params()
	if err != nil {
		return nil, nil, err
	}
	set, report, err := walrus.LoadTensors(path, params, o)
	if err != nil {
		return nil, report, fmt.Errorf("dpot: %w", err)
	}
	return &Weights{TensorSet: set, config: c, settings: settings}, report, nil
}

// ReadConfig derives the configuration of a weight file from the shapes of its tensors. Two
// properties leave no trace in them: the modes and the activation. They are read from the
// settings of the training program, "modes" and "act"; a file without these settings counts
// as having the published values, 32 modes and GELU.
func ReadConfig(path string) (Config, error) {
	list, err := walrus.ListTensors(path)
	if err != nil {
		return Config{}, fmt.Errorf("dpot: %w", err)
	}
	return configIn(list)
}

func configIn(list *walrus.TensorFile) (Config, error) {
	s := shapes{list: list}
	c := s.config()
	if s.err == nil {
		s.err = c.settings(list.Settings)
	}
	if s.err == nil {
		s.err = c.Validate()
	}
	if s.err != nil {
		return Config{}, fmt.Errorf("dpot: configuration of %s: %w", list.Path, s.err)
	}
	return c, nil
}

// shapes reads the shapes of a file and keeps the first error.
type shapes struct {
	list *walrus.TensorFile
	err  error
}

// of returns the shape of a tensor with at least the given rank. After an error every
// length is 1.
func (s *shapes) of(name string, rank int) []int {
	shape, ok := s.list.Shape(name)
	if ok && len(shape) >= rank {
		return shape
	}
	if s.err == nil {
		got := "no tensor of that name"
		if ok {
			got = fmt.Sprint("shape ", shape)
		}
		s.err = fmt.Errorf("%s: expected a tensor of %d axes or more, as in a state dict of DPOT, got %s", name, rank, got)
	}
	return slices.Repeat([]int{1}, rank)
}

func (s *shapes) has(name string) bool {
	_, ok := s.list.Shape(name)
	return ok
}

func (s *shapes) config() Config {
	position, first, filter := s.of("pos_embed", 4), s.of("patch_embed.proj.0.weight", 4), s.of("blocks.0.filter.w1", 4)
	axes, out := len(position)-2, s.of("out_layer.4.weight", 2)[0]
	c := Config{Hidden: position[1], Patch: max(first[2], 1), MixingBlocks: filter[1], MLP: s.of("blocks.0.mlp.0.weight", 2)[0],
		InChannels: first[1] - axes - 1, InSteps: s.of("time_agg_layer.w", 3)[0], OutWidth: s.of("out_layer.0.weight", 2)[1],
		Classes: s.of("cls_head.4.weight", 2)[0], Normalize: s.has("scale_feats_mu.weight"), Aggregation: AggregateMLP}
	if s.has("time_agg_layer.gamma") {
		c.Aggregation = AggregateExpMLP
	}
	for _, n := range position[2:] {
		c.Grid = append(c.Grid, n*c.Patch)
	}
	// The embedding's first width is OutChannels·Patch + axes + 1.
	c.OutChannels = (first[0] - axes - 1) / c.Patch
	c.OutSteps = out / max(c.OutChannels, 1)
	if s.err == nil && (c.OutChannels*c.Patch+axes+1 != first[0] || c.OutSteps*c.OutChannels != out) {
		s.err = fmt.Errorf("expected a first width of channels·%d+%d and outputs for whole frames, got patch_embed.proj.0.weight %v and %d outputs", c.Patch, axes+1, first, out)
	}
	for _, t := range s.list.Tensors {
		rest, ok := strings.CutPrefix(t.Name, "blocks.")
		number, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(number); ok && err == nil && i < maxBlocks {
			c.Depth = max(c.Depth, i+1)
		}
	}
	return c
}

// settings reads the modes and the activation. Other settings are redundant.
func (c *Config) settings(s map[string]any) error {
	c.Modes = 32
	if v, ok := s["modes"]; ok {
		n, ok := v.(int64)
		if !ok || n < 1 || n > maxPoints {
			return fmt.Errorf("setting modes: expected a number from 1 to %d, got %v", maxPoints, v)
		}
		c.Modes = int(n)
	}
	if v, ok := s["act"]; ok {
		name, _ := v.(string)
		if err := c.Activation.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("setting act: %w", err)
		}
	}
	return nil
}

// Save writes the weights in the layout of the published files: a file of torch with the
// state dict under "model" and the settings of the training program, an argparse.Namespace,
// under "args". The settings are those that were loaded, and the original's settings of the
// network. The file has no state of an optimizer. torch.load needs weights_only=False for
// it, as for the published files. The file appears under its name only when it is complete.
func (w *Weights) Save(path string) error {
	if err := w.SaveTorch(path, walrus.TorchLayout{At: []string{"model"}, Settings: w.written()}); err != nil {
		return fmt.Errorf("dpot: %w", err)
	}
	return nil
}

// written returns the settings that Save writes.
func (w *Weights) written() map[string]any {
	out, c := maps.Clone(w.settings), w.config
	if out == nil {
		out = map[string]any{}
	}
	if _, ok := out["model"]; !ok && c.Axes() == 2 {
		out["model"] = "DPOT"
	}
	for name, n := range map[string]int{"width": c.Hidden, "n_layers": c.Depth, "n_blocks": c.MixingBlocks, "modes": c.Modes,
		"out_layer_dim": c.OutWidth, "patch_size": c.Patch} {
		out[name] = int64(n)
	}
	out["mlp_ratio"] = float64(c.MLP) / float64(c.Hidden)
	if c.MLP%c.Hidden == 0 {
		out["mlp_ratio"] = int64(c.MLP / c.Hidden)
	}
	out["act"], out["time_agg"] = c.Activation.String(), c.Aggregation.String()
	out["normalize"] = map[bool]int64{true: 1}[c.Normalize]
	return out
}
