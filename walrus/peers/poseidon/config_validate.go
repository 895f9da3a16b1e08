package poseidon

import (
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/limits"
)

// Bounds on the sizes in a configuration, far beyond any network in use. They keep a
// damaged file from requesting absurd amounts of memory.
const (
	maxWidth  = 1 << 16
	maxPoints = 1 << 16
	maxBlocks = 1 << 10
	maxStages = 12
)

// problems collects errors.
type problems []error

func (p *problems) addf(format string, args ...any) {
	*p = append(*p, fmt.Errorf("poseidon: config: "+format, args...))
}

// Validate returns nil if a network can be built from the configuration, and otherwise one
// error that lists every problem, one per line.
func (c Config) Validate() error {
	var p problems
	limits.Size(p.addf, "image_size (rows)", c.Grid[0], maxPoints)
	limits.Size(p.addf, "image_size (columns)", c.Grid[1], maxPoints)
	limits.Size(p.addf, "patch_size", c.Patch, 1<<8)
	limits.Size(p.addf, "num_channels", c.InChannels, 1<<12)
	limits.Size(p.addf, "num_out_channels", c.OutChannels, 1<<12)
	limits.Size(p.addf, "embed_dim", c.EmbedDim, maxWidth)
	limits.Size(p.addf, "window_size", c.Window, maxPoints)
	if n := len(c.Depths); n < 1 || n > maxStages || len(c.Heads) != n || len(c.Skips) != n {
		p.addf("depths, num_heads, skip_connections: expected 1 to %d stages and one number for each in all three, got %d, %d and %d numbers", maxStages, n, len(c.Heads), len(c.Skips))
	}
	if len(p) == 0 {
		c.validateStages(&p)
		c.validateGrids(&p)
	}
	if _, err := c.SkipBlock.MarshalText(); err != nil {
		p.addf("residual_model: %w", err)
	}
	if c.residual() && c.OutChannels > c.InChannels {
		p.addf("learn_residual: expected at most as many output channels as input channels (%d), got %d", c.InChannels, c.OutChannels)
	}
	c.validateLoss(&p)
	return errors.Join(p...)
}

func (c Config) validateStages(p *problems) {
	for i := range c.Depths {
		width := c.EmbedDim << i
		if c.Depths[i] < 1 || c.Depths[i] > maxBlocks || c.Skips[i] < 0 || c.Skips[i] > maxBlocks {
			p.addf("stage %d: expected 1 to %d blocks and 0 to %d on the skip connection, got %d and %d", i, maxBlocks, maxBlocks, c.Depths[i], c.Skips[i])
		}
		if c.Heads[i] < 1 || width%c.Heads[i] != 0 {
			p.addf("stage %d: num_heads: expected a divisor of the width %d, got %d", i, width, c.Heads[i])
		}
		if width > maxWidth {
			p.addf("stage %d: expected tokens of width at most %d, got %d", i, maxWidth, width)
		}
	}
	if !(c.MLPRatio > 0 && c.MLPRatio <= 64) || c.mlp(c.EmbedDim) < 1 {
		p.addf("mlp_ratio: expected a number above 0 and up to 64 that makes MLPs at least one wide, got %v", c.MLPRatio)
	}
}

func (c Config) validateGrids(p *problems) {
	last := c.Stages() - 1
	multiple := c.Patch << max(last-1, 0)
	for a, n := range c.Grid {
		if n%multiple != 0 {
			p.addf("image_size: axis %d: expected a multiple of %d, so that every stage but the last has whole numbers of patches, got %d", a, multiple, n)
		}
	}
	if s := c.Stage(last); s.Grid[0] < 2 || s.Grid[1] < 1 || s.Window < 2 {
		p.addf("image_size, window_size: expected windows of at least 2 tokens in every stage, got %v tokens and a window of %d in the last: take fewer stages or more points", s.Grid, s.Window)
	}
}

func (c Config) validateLoss(p *problems) {
	if c.Distance != L1 && c.Distance != L2 {
		p.addf("p: expected L1 or L2, got %d", int(c.Distance))
	}
	for i, bound := range c.Groups {
		if len(c.Groups) < 2 || bound < 0 || bound > c.OutChannels || i > 0 && bound <= c.Groups[i-1] {
			p.addf("channel_slice_list_normalized_loss: expected at least two ascending bounds from 0 to num_out_channels (%d), got %v", c.OutChannels, c.Groups)
			return
		}
	}
}

// residual reports whether the input is added to the output.
func (c Config) residual() bool { return c.Residual && c.Conditioned }

// CheckGrid returns a [*csm.GridError] unless the network takes frames of H × W points:
// frames on [Config.Grid], and, if that is a square, also other squares whose edge differs
// by an even number. Those are resampled by their Fourier series, as in the original, and so
// is the result.
func (c Config) CheckGrid(grid []int) error {
	refuse := func(format string, args ...any) error {
		return &csm.GridError{Grid: grid, Axis: -1, Err: fmt.Errorf("poseidon: "+format, args...)}
	}
	if len(grid) != 2 {
		return refuse("a grid %v: expected two axes, height and width", grid)
	}
	switch {
	case [2]int(grid) == c.Grid:
		return nil
	case c.Grid[0] != c.Grid[1] || grid[0] != grid[1]:
		return refuse("a grid %v: expected %v, the grid of the configuration, because only squares are resampled to squares; take Weights.WithGrid for the data's grid, or crop or resample the frames", grid, c.Grid)
	case grid[0] < 2 || grid[0] > maxPoints || (grid[0]-c.Grid[0])%2 != 0:
		return refuse("a grid %v: expected 2 to %d points per axis and an even difference from %d, for which the original resamples to the right size; crop the frames or take Weights.WithGrid", grid, maxPoints, c.Grid[0])
	}
	return nil
}
