package csm

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

const (
	maxAxes   = 3
	minLength = 8       // of an axis that is not a single point
	maxPoints = 1 << 50 // of a grid: keeps every product in Plan inside an int
	maxKernel = 64
)

// Options are the knobs of the planner. The zero value is the paper's: 32
// tokens per axis in one and two dimensions, 16 in three, kernels 8 and 4, with
// patch jitter. Tokens and Kernel are either left zero or given in full.
type Options struct {
	// Tokens is the number of tokens to aim for on each axis of a grid with
	// one, two or three axes longer than 1.
	Tokens [3]int `json:"tokens"`
	// Kernel holds the kernel sizes k1, k2 of the two convolutions, in points
	// and in outputs of the first.
	Kernel [2]int `json:"kernel"`
	// NoJitter plans for patches that are not shifted at random.
	NoJitter bool `json:"no_jitter"`
	// Strides lists the pairs s1, s2 that the weights were trained with. The planner
	// takes another pair only where none of these can serve an axis. An empty list
	// means the strides of the release.
	Strides [][2]int `json:"strides,omitempty"`
}

// Validate returns an error for a target below one token, for a kernel outside
// 1..64 and for a Tokens or Kernel that is only partly set.
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

// trained reports whether the weights saw these strides in training: those that the
// options list, else the release's.
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

// Plan says for every axis of a grid which strides, padding and tokens it
// gets. It is a plain value: the same grid, boundaries and options always give
// the same plan, so it need not be stored with a model.
type Plan struct {
	// Axes are the axes H, W, D. Axes the caller did not give are single points.
	Axes [3]Axis
	// Rank is the number of axes the caller gave.
	Rank int
	// Dims is the number of axes longer than 1: the dimension whose encoder and
	// decoder weights apply.
	Dims int
	// Options are the options with defaults filled in.
	Options Options
}

// NewPlan plans a grid of 1 to 3 axes, each a single point or at least 8
// points long, with one boundary per axis. At least one axis must be longer
// than 1.
//
// An axis that the release can handle gets the release's choice. Elsewhere the
// planner takes, among all strides s1 ≤ k1 and s2 ≤ k2, those of least cost
//
//	w·|log2(m/t)| + 2·e/n + u·[new] + 1·[open ring]
//
// with m = ⌈n/patch⌉ tokens for a target of t, w = 1 below the target and 1.5
// above it (attention is quadratic in tokens), e = m·patch − n missing points,
// [new] = 1 for strides that the weights were not trained with, u = 16 where the
// options list the trained strides and 0.25 where these are the release's, and
// [open ring] = 1 for a periodic axis that the patch does not divide. Equal
// costs go to the larger patch; equal patches to the pair that overlaps its
// two kernels most evenly (k1/s1 nearest k2/s2), then to the smaller s1: 2 is
// 2×1, 3 is 3×1, 6 is 3×2.
//
// Where the options list the trained strides and a frame would have more than 2000
// tokens, the axes with the most tokens take larger patches, as long as the list has
// larger patches.
//
// Errors name the axis or the option and what was expected.
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
			return nil, fmt.Errorf("csm: axis %d %w", i, err)
		}
	}
	p.coarsen()
	return p, nil
}

// checkGrid returns the number of axes longer than 1.
func checkGrid(grid []int) (dims int, err error) {
	if len(grid) < 1 || len(grid) > maxAxes {
		return 0, fmt.Errorf("csm: grid %v: expected 1 to %d axes, got %d", grid, maxAxes, len(grid))
	}
	points := 1
	for i, n := range grid {
		if n != 1 && n < minLength {
			return 0, fmt.Errorf("csm: axis %d has %d points: expected 1 or at least %d", i, n, minLength)
		}
		if n > maxPoints/points {
			return 0, fmt.Errorf("csm: grid %v: expected at most 2^50 points, got more", grid)
		}
		points *= n
		if n > 1 {
			dims++
		}
	}
	if dims == 0 {
		return 0, fmt.Errorf("csm: grid %v: expected at least one axis longer than 1, got none", grid)
	}
	return dims, nil
}

// Grid returns the points per axis, 1 for axes the caller did not give.
func (p *Plan) Grid() [3]int { return p.each(func(a Axis) int { return a.Length }) }

// PaddedGrid returns the points per axis after padding: what the encoder sees
// and what the decoder returns.
func (p *Plan) PaddedGrid() [3]int { return p.each(func(a Axis) int { return a.Padded }) }

// TokenGrid returns the tokens per axis.
func (p *Plan) TokenGrid() [3]int { return p.each(func(a Axis) int { return a.Tokens }) }

// Tokens returns the number of tokens of one frame.
func (p *Plan) Tokens() int { return product(p.TokenGrid()) }

// Released reports whether the released code would run this grid with the
// same plan: the choice on every axis is the release's and there are two or
// three axes longer than 1 (the release has no weights for one).
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
