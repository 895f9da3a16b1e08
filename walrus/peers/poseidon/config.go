package poseidon

import (
	"encoding/json"
	"fmt"

	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/walrus"
)

// SkipBlock chooses the blocks between encoder and decoder.
type SkipBlock int

const (
	// SkipConvNeXt is a [ConvNeXt] block. The published weights have it.
	SkipConvNeXt SkipBlock = iota
	// SkipResNet is a [ResNet] block. No published weights have it.
	SkipResNet
)

var skipNames = []string{"convnext", "resnet"}

// String returns "convnext" or "resnet", the original's names.
func (s SkipBlock) String() string { return enum.Name(skipNames, s) }

// MarshalText returns [SkipBlock.String], or an error for an unknown value.
func (s SkipBlock) MarshalText() ([]byte, error) { return enum.Text("skip block", skipNames, s) }

// UnmarshalText reads the text that MarshalText writes.
func (s *SkipBlock) UnmarshalText(b []byte) error { return enum.Parse("skip block", skipNames, b, s) }

// Distance is the measure of errors in the training loss; see [Config.Loss]. Its JSON form is
// the original's p, the power of the errors: 1 or 2.
type Distance int

const (
	// L1 is the mean absolute error. The published weights were trained with it.
	L1 Distance = iota
	// L2 is the mean square error.
	L2
)

// String returns "L1" or "L2".
func (d Distance) String() string { return enum.Name([]string{"L1", "L2"}, d) }

// MarshalJSON returns the power of the errors.
func (d Distance) MarshalJSON() ([]byte, error) { return json.Marshal(int(d) + 1) }

// UnmarshalJSON reads the power of the errors, 1 or 2.
func (d *Distance) UnmarshalJSON(b []byte) error {
	var p int
	if err := json.Unmarshal(b, &p); err != nil || p != 1 && p != 2 {
		return fmt.Errorf("expected 1 or 2, got %s", b)
	}
	*d = Distance(p - 1)
	return nil
}

// Config describes a network: the shapes of its weights and the function that it computes
// with them. Its JSON form is the original's config.json; see [Config.UnmarshalJSON]. The
// zero value is not usable: start from a preset or from a file ([ReadConfig]).
//
// Stage i of Stages has tokens of width EmbedDim·2^i on a token grid whose axes are 2^i
// times shorter than those of the first stage, which has one token per patch.
type Config struct {
	// Name labels the network in messages. It may be empty.
	Name string
	// Grid is the number of points H, W. The original takes only squares; other grids are
	// the adaptation of the Walrus paper (appendix B.3), which follows height and width
	// separately. A network for a square takes other squares by resampling, see
	// [Config.CheckGrid]. Published: 128 × 128.
	Grid [2]int
	// Patch is the edge length of a patch in points. Published: 4.
	Patch int
	// InChannels and OutChannels are the channels of input and output. Published: 4,
	// density, horizontal velocity, vertical velocity and pressure.
	InChannels, OutChannels int
	// EmbedDim is the width E of a token in the first stage.
	EmbedDim int
	// Depths, Heads and Skips hold, for each stage, the number of blocks in the encoder (and
	// as many in the decoder), the number of attention heads, and the number of blocks
	// between encoder and decoder.
	Depths, Heads, Skips []int
	// Window is the edge length of an attention window in tokens. Stages with fewer rows
	// have smaller windows; see [Config.Stage]. Published: 16.
	Window int
	// MLPRatio is the width inside an MLP divided by that of a token. Published: 4.
	MLPRatio float64
	// NoBias leaves out the biases of queries and values; keys never have one.
	NoBias bool
	// Conditioned makes scale and shift of every norm linear functions of the lead time.
	// Otherwise the network ignores the lead time. Published: true.
	Conditioned bool
	// Residual adds the input's first OutChannels channels to the output. It has no effect
	// unless Conditioned is set, as in the original. Published: false.
	Residual bool
	// Positions adds a learned embedding of every token's position. The network then works
	// on its Grid only. Published: false.
	Positions bool
	// SkipBlock chooses the blocks between encoder and decoder.
	SkipBlock SkipBlock
	// Distance and Groups describe the training loss; see [Config.Loss]. Groups are the bounds of groups of output
	// channels: 0, 1, 3, 4 means the channels 0, 1–2 and 3 (published). Empty means no
	// groups.
	Distance Distance
	Groups   []int

	// rest holds the keys of a config.json that do not affect the network, so that they are
	// written again.
	rest map[string]any
}

// Stages returns the number of stages.
func (c Config) Stages() int { return len(c.Depths) }

// Stage describes one stage of a network.
type Stage struct {
	// Width is the width of a token.
	Width int
	// Grid is the token grid from which the original derives windows and the sizes in the
	// decoder. If an axis of the stage before has an odd number of tokens, the stage has one
	// more token on that axis than Grid says.
	Grid [2]int
	// Window is the edge length of an attention window: the configuration's, or the number of
	// rows of Grid if that is smaller.
	Window int
	// Shift is the distance by which every second block shifts its windows along both axes,
	// or 0 if the grid is not larger than the window. The original compares (rows, columns)
	// as Python compares tuples: the columns count only if the rows equal the window.
	Shift int
}

// Stage returns the description of stage i of a valid configuration. It returns the zero
// Stage if there is no such stage.
func (c Config) Stage(i int) Stage {
	if i < 0 || i >= c.Stages() || i >= maxStages || c.Patch < 1 {
		return Stage{}
	}
	s := Stage{Width: c.EmbedDim << i}
	for a := range s.Grid {
		s.Grid[a] = c.Grid[a] / c.Patch >> i
	}
	s.Window = min(c.Window, s.Grid[0])
	if s.Grid[0] > s.Window || s.Grid[0] == s.Window && s.Grid[1] > s.Window {
		s.Shift = c.Window / 2
	}
	return s
}

// mlp returns the width inside the MLPs of blocks with tokens of the given width.
func (c Config) mlp(width int) int { return int(float64(width) * c.MLPRatio) }

// Params lists every tensor of the network in the order of the original's state dict
// without allocating them.
func (c Config) Params() ([]walrus.Param, error) {
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	return m.params(), nil
}

// Parameters returns the number of trained values of all tensors, as in paper Table 4 of
// Walrus. It returns 0 for a configuration that is not valid.
func (c Config) Parameters() int64 {
	params, err := c.Params()
	if err != nil {
		return 0
	}
	n := int64(0)
	for _, p := range params {
		if !p.Init.Buffer {
			n += int64(p.Size())
		}
	}
	return n
}
