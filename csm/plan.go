package csm

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

const (
	maxAxes   = 3
	minLength = 8       // of an axis that is not a single point
	maxPoints = 1 << 50 // per grid; keeps every product in Plan within an int
	maxKernel = 64
)

// Options configures the planner. The zero value is the paper's: 32 tokens per axis in 1D
// and 2D, 16 in 3D, kernels 8 and 4, with patch jitter. Tokens and Kernel must be either
// zero or set completely.
type Options struct {
	// Tokens holds the target number of tokens per axis for grids with one, two and three
	// axes longer than 1.
	Tokens [3]int `json:"tokens"`
	// Kernel holds the kernel sizes k1, k2 of the two convolutions: k1 in points, k2 in
	// outputs of the first convolution.
	Kernel [2]int `json:"kernel"`
	// NoJitter plans without padding for random shifts.
	NoJitter bool `json:"no_jitter"`
	// Strides lists the pairs s1, s2 that the weights were trained with. The planner uses
	// another pair only for an axis that none of these fits. An empty list means the
	// strides of the release.
	Strides [][2]int `json:"strides,omitempty"`
}

// Validate returns an error for a target below one token, for a kernel outside 1..64, and
// for Tokens or Kernel that are only partly set.
func (o Options) Validate() error {
	if o.Tokens != [3]int{} {
		for i, t := range o.Tokens {
			if t < 1 {
				return fmt.Errorf("csm: options: tokens of %d-dimensional grids: expected at least 1 (or all three left zero), got %d", i+1, t)
			}
		}
	}
	if o.Kernel != [2]int{} {
		for i, k := range o.Kernel {
			if k < 1 || k > maxKernel {
				return fmt.Errorf("csm: options: kernel of convolution %d: expected 1 to %d (or both left zero), got %d", i+1, maxKernel, k)
			}
		}
	}
	kernel := o.withDefaults().Kernel
	for _, s := range o.Strides {
		if s[0] < 1 || s[0] > kernel[0] || s[1] < 1 || s[1] > kernel[1] {
			return fmt.Errorf("csm: options: strides: expected pairs from 1, 1 to the kernels %d, %d, got %d, %d", kernel[0], kernel[1], s[0], s[1])
		}
	}
	return nil
}

// trained reports whether the weights were trained with the strides: the pairs that the
// options list, or the release's if they list none.
func (o Options) trained(stride [2]int) bool {
	if len(o.Strides) > 0 {
		return slices.Contains(o.Strides, stride)
	}
	s, ok := releasedStrides[stride[0]*stride[1]]
	return ok && s == stride && o.Kernel == releasedKernel
}

func (o Options) withDefaults() Options {
	if o.Tokens == [3]int{} {
		o.Tokens = releasedTokens
	}
	if o.Kernel == [2]int{} {
		o.Kernel = releasedKernel
	}
	return o
}

// Plan holds the strides, padding and tokens of every axis of a grid. The same grid,
// boundaries and options always give the same plan, so it need not be stored with a model.
type Plan struct {
	// Axes holds the axes H, W, D. Axes that the grid lacks are single points.
	Axes [3]Axis
	// Rank is the number of axes of the grid.
	Rank int
	// Dims is the number of axes longer than 1. It selects the weights of the encoder and
	// the decoder.
	Dims int
	// Options holds the options with defaults filled in.
	Options Options
}

// NewPlan plans a grid of 1 to 3 axes with one boundary per axis. Each axis is a single
// point or at least 8 points long, and at least one is longer than 1.
//
// An axis that the release can handle gets the release's strides. For other axes the
// planner chooses, among all strides s1 ≤ k1 and s2 ≤ k2, the pair of least cost
//
//	w·|log2(m/t)| + 2·e/n + u·[new] + 1·[open ring]
//
// where m = ⌈n/patch⌉ is the number of tokens and t the target; w is 1 below the target and
// 1.5 above it (the cost of attention is quadratic in tokens); e = m·patch − n is the
// number of missing points; [new] is 1 for strides that the weights were not trained with,
// with u = 16 if the options list the trained strides and 0.25 if these are the release's;
// and [open ring] is 1 for a periodic axis that the patch does not divide. Among pairs of
// equal cost, the planner chooses the larger patch, then the pair whose two kernels overlap
// most evenly (k1/s1 nearest k2/s2), then the smaller s1: the pair of patch 2 is 2×1, of 3
// it is 3×1, of 6 it is 3×2.
//
// If the options list the trained strides and a frame would have more than 2000 tokens, the
// axes with the most tokens get larger patches, as long as the list has larger patches.
//
// Errors name the axis or the option and the expected value. If the grid is refused, the
// error is a [*GridError].
func NewPlan(grid []int, bcs data.Boundaries, o Options) (*Plan, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dims, err := checkGrid(grid)
	if err != nil {
		return nil, err
	}
	if err := bcs.Validate(len(grid)); err != nil {
		return nil, fmt.Errorf("csm: grid %v: %w", grid, err)
	}
	o = o.withDefaults()
	p := &Plan{Rank: len(grid), Dims: dims, Options: o}
	for i := range p.Axes {
		if i >= len(grid) || grid[i] == 1 {
			p.Axes[i] = singleton(data.Both(data.Periodic))
			if i < len(grid) {
				p.Axes[i].Boundary = bcs[i]
			}
			continue
		}
		p.Axes[i], err = newAxis(grid[i], bcs[i], o, dims)
		if err != nil {
			return nil, refuse(grid, i, "axis %d %w", i, err)
		}
	}
	p.coarsen()
	return p, nil
}

// checkGrid checks a grid and returns the number of axes longer than 1.
func checkGrid(grid []int) (dims int, err error) {
	if len(grid) < 1 || len(grid) > maxAxes {
		return 0, refuse(grid, -1, "grid %v: expected 1 to %d axes, got %d", grid, maxAxes, len(grid))
	}
	points := 1
	for i, n := range grid {
		if n != 1 && n < minLength {
			return 0, refuse(grid, i, "axis %d has %d points: expected 1 or at least %d", i, n, minLength)
		}
		if n > maxPoints/points {
			return 0, refuse(grid, -1, "grid %v: expected at most 2^50 points, got more", grid)
		}
		points *= n
		if n > 1 {
			dims++
		}
	}
	if dims == 0 {
		return 0, refuse(grid, -1, "grid %v: expected at least one axis longer than 1, got none", grid)
	}
	return dims, nil
}

// Grid returns the number of points along each axis, 1 for axes that the grid lacks.
func (p *Plan) Grid() [3]int { return p.each(func(a Axis) int { return a.Length }) }

// PaddedGrid returns the number of points along each axis after padding: the shape of the
// encoder's input and of the decoder's output.
func (p *Plan) PaddedGrid() [3]int { return p.each(func(a Axis) int { return a.Padded }) }

// TokenGrid returns the number of tokens along each axis.
func (p *Plan) TokenGrid() [3]int { return p.each(func(a Axis) int { return a.Tokens }) }

// Tokens returns the number of tokens of one frame.
func (p *Plan) Tokens() int { return product(p.TokenGrid()) }

// Released reports whether the release would use the same plan: every axis has the
// release's choice, and two or three axes are longer than 1 (the release has no weights for
// 1D).
func (p *Plan) Released() bool {
	for _, a := range p.Axes {
		if !a.Released {
			return false
		}
	}
	return p.Dims >= 2
}

func (p *Plan) each(f func(Axis) int) (out [3]int) {
	for i, a := range p.Axes {
		out[i] = f(a)
	}
	return out
}

func product(v [3]int) int { return v[0] * v[1] * v[2] }
