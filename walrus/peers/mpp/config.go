package mpp

import (
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/limits"
)

// Patch is the edge length of a patch in points. The original's setting patch_size has no
// effect: its encoder always has the strides 4, 2 and 2.
const Patch = 16

// Bias chooses the positional bias of attention.
type Bias int

const (
	// BiasRelative is a table of bias values by bucket of distance, as in T5. The published
	// weights have it.
	BiasRelative Bias = iota
	// BiasContinuous computes the bias of a distance with a small network. No published
	// weights have it.
	BiasContinuous
)

var biasNames = []string{"rel", "continuous"}

// String returns "rel" or "continuous", the original's names.
func (b Bias) String() string { return enum.Name(biasNames, b) }

// MarshalText returns [Bias.String], or an error for an unknown value.
func (b Bias) MarshalText() ([]byte, error) { return enum.Text("bias", biasNames, b) }

// UnmarshalText reads the text that MarshalText writes.
func (b *Bias) UnmarshalText(text []byte) error { return enum.Parse("bias", biasNames, text, b) }

// Config describes a network: the shapes of its weights and the function that it computes
// with them. JSON has the original's keys. The zero value is not usable: start from a
// preset or from a weight file ([ReadConfig]).
type Config struct {
	// Name labels the network in messages. It may be empty.
	Name string `json:"name,omitempty"`
	// Hidden is the width E of a token. The encoder and the decoder compute with E/4
	// channels.
	Hidden int `json:"embed_dim"`
	// Heads is the number N of attention heads, of time and of space.
	Heads int `json:"num_heads"`
	// Blocks is the number of blocks, each with attention over time and over space.
	Blocks int `json:"processor_blocks"`
	// States is the number of fields that the weights know. Published: 12, of which 10
	// were trained (see [Fields]).
	States int `json:"n_states"`
	// Bias chooses the positional bias.
	Bias Bias `json:"bias_type"`
	// DropPath is the drop-path rate of the last block in training; rates rise linearly
	// from 0. Presets have 0.2, the rate of the original's training, which ignores the
	// rate in its configuration file.
	DropPath float64 `json:"drop_path"`
}

// Bounds on the sizes in a configuration, far beyond any network in use. They keep a
// damaged file from requesting absurd amounts of memory.
const (
	maxWidth  = 1 << 16
	maxBlocks = 1 << 12
	maxStates = 1 << 16
)

// Validate returns nil if a network can be built from the configuration, and otherwise one
// error that lists every problem, one per line.
func (c Config) Validate() error {
	var problems []error
	addf := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("mpp: config: "+format, args...))
	}
	limits.Size(addf, "embed_dim", c.Hidden, maxWidth)
	limits.Size(addf, "num_heads", c.Heads, maxWidth)
	limits.Size(addf, "processor_blocks", c.Blocks, maxBlocks)
	limits.Size(addf, "n_states", c.States, maxStates)
	if c.Hidden%4 != 0 {
		addf("embed_dim: expected a multiple of 4, because encoder and decoder have a quarter of the channels, got %d", c.Hidden)
	}
	if c.Heads > 0 && c.Hidden%c.Heads != 0 {
		addf("num_heads: expected a divisor of embed_dim %d, got %d", c.Hidden, c.Heads)
	}
	if c.Bias < 0 || int(c.Bias) >= len(biasNames) {
		addf("bias_type: expected one of %v, got %d", biasNames, int(c.Bias))
	}
	if !(c.DropPath >= 0 && c.DropPath < 1) {
		addf("drop_path: expected a rate 0 ≤ p < 1, got %v", c.DropPath)
	}
	return errors.Join(problems...)
}

// Params lists every tensor of the network in the order of the original's state dict.
func (c Config) Params() ([]walrus.Param, error) {
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	return m.params(), nil
}

// Parameters returns the number of values of all tensors, as in paper Table 4 of Walrus. It
// includes the biases of the norms of space, which exist in the state dict but have no
// effect. It returns 0 for a configuration that is not valid.
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

// DropPathRates returns the drop-path rate of each block. Attention over time, attention over
// space and MLP of a block drop independently of each other.
func (c Config) DropPathRates() []float64 { return layers.DropPathRates(c.DropPath, c.Blocks) }

// CheckGrid returns a [*csm.GridError] unless the network accepts frames of H × W points.
// periodic says which of the axes H and W are periodic.
func (c Config) CheckGrid(grid []int, periodic [2]bool) error {
	refuse := func(axis int, format string, args ...any) error {
		return &csm.GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("mpp: "+format, args...)}
	}
	if len(grid) != 2 {
		return refuse(-1, "a grid %v: expected two axes, height and width", grid)
	}
	for axis, n := range grid {
		tokens := n / Patch
		switch {
		case n < Patch || n%Patch != 0:
			return refuse(axis, "axis %d has %d points: expected a positive multiple of %d; crop or resample the frames", axis, n, Patch)
		case c.Bias == BiasContinuous && tokens < 2:
			return refuse(axis, "axis %d has %d points, which make one token: expected at least two with the continuous bias", axis, n)
		case c.Bias == BiasContinuous && periodic[axis] && tokens%2 != 0:
			return refuse(axis, "axis %d has %d points, which make %d tokens: expected an even number with the continuous bias on a periodic axis", axis, n, tokens)
		}
	}
	if grid[0] == Patch && grid[1] == Patch {
		return refuse(-1, "a grid %v makes one token: expected at least two, because the network divides by the standard deviation over tokens", grid)
	}
	return nil
}
