package dpot

import (
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/limits"
)

// Activation is the nonlinearity of a network.
type Activation int

const (
	// GELU is the exact GELU. The published networks use it.
	GELU Activation = iota
	// SiLU is x·σ(x).
	SiLU
)

var activationNames = []string{"gelu", "silu"}

// String returns "gelu" or "silu", the original's names.
func (a Activation) String() string { return enum.Name(activationNames, a) }

// MarshalText returns [Activation.String], or an error for an unknown value.
func (a Activation) MarshalText() ([]byte, error) {
	return enum.Text("activation", activationNames, a)
}

// UnmarshalText reads the text that MarshalText writes.
func (a *Activation) UnmarshalText(b []byte) error {
	return enum.Parse("activation", activationNames, b, a)
}

// Aggregation is the way in which a network merges the frames of its input.
type Aggregation int

const (
	// AggregateExpMLP multiplies each frame by cosines of its time and by a matrix, and
	// adds the frames. The published networks use it.
	AggregateExpMLP Aggregation = iota
	// AggregateMLP leaves out the cosines.
	AggregateMLP
)

var aggregationNames = []string{"exp_mlp", "mlp"}

// String returns "exp_mlp" or "mlp", the original's names.
func (a Aggregation) String() string { return enum.Name(aggregationNames, a) }

// MarshalText returns [Aggregation.String], or an error for an unknown value.
func (a Aggregation) MarshalText() ([]byte, error) {
	return enum.Text("time aggregation", aggregationNames, a)
}

// UnmarshalText reads the text that MarshalText writes.
func (a *Aggregation) UnmarshalText(b []byte) error {
	return enum.Parse("time aggregation", aggregationNames, b, a)
}

// Config describes a network: the shapes of its weights and the function that it computes
// with them. JSON has the original's keys, except for grid and mlp_width. The zero value is
// not usable: start from a preset or from a weight file ([ReadConfig]).
type Config struct {
	// Name labels the network in messages. It may be empty.
	Name string `json:"name,omitempty"`
	// Grid is the number of points per axis, two or three, of the grid whose position
	// embedding the weights hold. On other grids the embedding is interpolated (see
	// [Config.CheckGrid]). Published: 128 × 128.
	Grid []int `json:"grid"`
	// Patch is the edge length P of a patch in points. Published: 8.
	Patch int `json:"patch_size"`
	// InChannels and OutChannels are the channels per frame. Published: 4.
	InChannels  int `json:"in_channels"`
	OutChannels int `json:"out_channels"`
	// InSteps is the number T of frames that the network needs, OutSteps the number of
	// frames that it predicts at once. Published: 10 and 1.
	InSteps  int `json:"in_timesteps"`
	OutSteps int `json:"out_timesteps"`
	// Hidden is the width E of a token, a multiple of the eight groups of the norms.
	Hidden int `json:"embed_dim"`
	// Depth is the number of blocks.
	Depth int `json:"depth"`
	// MixingBlocks is the number of diagonal blocks in the matrices of the Fourier mixing.
	// It divides Hidden.
	MixingBlocks int `json:"n_blocks"`
	// Modes is the number of frequencies per axis that the Fourier mixing keeps, from 0 up
	// (see [AFNO]). Published: 32. In 3D, the last axis keeps at most 8.
	Modes int `json:"modes"`
	// MLP is the width inside the MLP of a block.
	MLP int `json:"mlp_width"`
	// OutWidth is the number of channels between the layers of the decoder.
	OutWidth int `json:"out_layer_dim"`
	// Classes is the number of outputs of the classifier of data sets, which has no
	// influence on the forecast. Published: 12.
	Classes int `json:"n_cls"`
	// Normalize normalises each sample and channel by the mean and the standard deviation
	// of the input, and scales the tokens by functions of both. No published network does.
	Normalize bool `json:"normalize"`
	// Activation is the nonlinearity. The Fourier mixing of 3D networks always uses GELU,
	// as in the original.
	Activation Activation `json:"act"`
	// Aggregation merges the frames.
	Aggregation Aggregation `json:"time_agg"`
}

// Axes returns the number of spatial axes, 2 or 3.
func (c Config) Axes() int { return len(c.Grid) }

// normGroups is the number of groups of the norms.
const normGroups = 8

// Bounds on the sizes in a configuration, far beyond any network in use. They keep a
// damaged file from requesting absurd amounts of memory.
const (
	maxWidth  = 1 << 16
	maxPoints = 1 << 16
	maxBlocks = 1 << 12
)

// Validate returns nil if a network can be built from the configuration, and otherwise one
// error that lists every problem, one per line.
func (c Config) Validate() error {
	var problems []error
	addf := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("dpot: config: "+format, args...))
	}
	limits.Size(addf, "patch_size", c.Patch, 1<<8)
	limits.Size(addf, "in_channels", c.InChannels, 1<<12)
	limits.Size(addf, "out_channels", c.OutChannels, 1<<12)
	limits.Size(addf, "in_timesteps", c.InSteps, 1<<12)
	limits.Size(addf, "out_timesteps", c.OutSteps, 1<<12)
	limits.Size(addf, "embed_dim", c.Hidden, maxWidth)
	limits.Size(addf, "depth", c.Depth, maxBlocks)
	limits.Size(addf, "n_blocks", c.MixingBlocks, maxWidth)
	limits.Size(addf, "modes", c.Modes, maxPoints)
	limits.Size(addf, "mlp_width", c.MLP, maxWidth)
	limits.Size(addf, "out_layer_dim", c.OutWidth, maxWidth)
	limits.Size(addf, "n_cls", c.Classes, maxWidth)
	c.validateRelations(addf)
	return errors.Join(problems...)
}

// validateRelations checks the values that depend on others.
func (c Config) validateRelations(addf func(format string, args ...any)) {
	if len(c.Grid) != 2 && len(c.Grid) != 3 {
		addf("grid: expected two or three axes, got %v", c.Grid)
	}
	for axis, n := range c.Grid {
		if n < 1 || n > maxPoints || c.Patch > 0 && n%c.Patch != 0 {
			addf("grid: axis %d: expected a positive multiple of patch_size %d up to %d points, got %d", axis, c.Patch, maxPoints, n)
		}
	}
	if c.Hidden%normGroups != 0 {
		addf("embed_dim: expected a multiple of %d, the number of norm groups, got %d", normGroups, c.Hidden)
	}
	if c.MixingBlocks > 0 && c.Hidden%c.MixingBlocks != 0 {
		addf("n_blocks: expected a divisor of embed_dim %d, got %d", c.Hidden, c.MixingBlocks)
	}
	if c.Normalize && c.InChannels != c.OutChannels {
		addf("normalize: expected as many output channels as input channels, which have the statistics, got %d and %d", c.OutChannels, c.InChannels)
	}
	if _, err := c.Activation.MarshalText(); err != nil {
		addf("act: %w", err)
	}
	if _, err := c.Aggregation.MarshalText(); err != nil {
		addf("time_agg: %w", err)
	}
}

// Params lists every tensor of the network in the order of the original's state dict
// without allocating them.
func (c Config) Params() ([]walrus.Param, error) {
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	return m.params(), nil
}

// Parameters returns the number of values of all tensors, as in paper Table 4 of Walrus. It
// returns 0 for a configuration that is not valid.
func (c Config) Parameters() int64 {
	params, err := c.Params()
	if err != nil {
		return 0
	}
	n := int64(0)
	for _, p := range params {
		n += int64(p.Size())
	}
	return n
}

// CheckGrid returns a [*csm.GridError] unless the network accepts frames on the grid: it
// needs the network's number of axes, each with a multiple of [Config.Patch] points. The
// original accepts [Config.Grid] only; on other grids the position embedding is resized by
// linear interpolation, as in the Walrus paper (appendix B.3.2).
func (c Config) CheckGrid(grid []int) error {
	refuse := func(axis int, format string, args ...any) error {
		return &csm.GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("dpot: "+format, args...)}
	}
	if len(grid) != c.Axes() {
		return refuse(-1, "a grid %v: expected %d axes (2D and 3D networks differ; Transfer makes a 3D network from 2D weights)", grid, c.Axes())
	}
	for axis, n := range grid {
		if n < 1 || n > maxPoints || n%c.Patch != 0 {
			return refuse(axis, "axis %d has %d points: expected a positive multiple of %d up to %d; crop or resample the frames", axis, n, c.Patch, maxPoints)
		}
	}
	return nil
}
