// Package unet implements a U-Net (arXiv 1505.04597), a plain reference for comparisons that is
// trained from scratch. A level has two 3-point convolutions per axis, each followed by a group
// norm and a GELU. On the way down, the maximum of two points along each axis halves the grid,
// and the next level doubles the width. On the way up, transposed convolutions of kernel 2 and
// stride 2 undo that, and the output of the same level on the way down is appended. The network
// predicts the change of the last frame.
//
// The letters of shapes are B batch, n… the points along one to three axes, T frames and C
// channels.
package unet

import (
	"errors"
	"fmt"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/limits"
)

// Config describes a network.
type Config struct {
	// Axes is the number of spatial axes, 1 to 3. Channels is C, Steps is T.
	Axes     int `json:"axes"`
	Channels int `json:"channels"`
	Steps    int `json:"steps"`
	// Width is the number of channels in the first level, a multiple of the eight groups of the
	// norms. Levels is the number of levels.
	Width  int `json:"width"`
	Levels int `json:"levels"`
}

// For returns a network for a grid and a number of channels: four frames and up to five levels
// from 48 channels on (in 3D 24), 17 million parameters in 2D.
func For(grid []int, channels int) Config {
	c := Config{Axes: len(grid), Channels: channels, Steps: 4, Width: 48, Levels: 5}
	if c.Axes == 3 {
		c.Width = 24
	}
	for _, n := range grid {
		for c.Levels > 1 && (n%(1<<(c.Levels-1)) != 0 || n < 2<<(c.Levels-1)) {
			c.Levels--
		}
	}
	return c
}

const (
	normGroups = 8
	maxSize    = 1 << 12
	maxLevels  = 10
)

// Validate returns an error that lists every problem.
func (c Config) Validate() error {
	var problems []error
	addf := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("unet: config: "+format, args...))
	}
	limits.Size(addf, "axes", c.Axes, 3)
	limits.Size(addf, "channels", c.Channels, maxSize)
	limits.Size(addf, "steps", c.Steps, maxSize)
	limits.Size(addf, "width", c.Width, maxSize)
	limits.Size(addf, "levels", c.Levels, maxLevels)
	if c.Width%normGroups != 0 {
		addf("width: expected a multiple of %d, the number of norm groups, got %d", normGroups, c.Width)
	}
	return errors.Join(problems...)
}

// Model builds the graph of a network. It holds no weights.
type Model struct{ config Config }

// NewModel returns the model of a valid configuration.
func NewModel(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Model{c}, nil
}

// Config returns the configuration.
func (m *Model) Config() Config { return m.config }

// CheckGrid returns a [*csm.GridError] unless the grid has the network's number of axes and can
// be halved between the levels, down to two points.
func (m *Model) CheckGrid(grid []int) error {
	c := m.config
	if len(grid) != c.Axes {
		return &csm.GridError{Grid: grid, Axis: -1, Err: fmt.Errorf("unet: a grid %v: expected %d axes", grid, c.Axes)}
	}
	factor := 1 << (c.Levels - 1)
	for axis, n := range grid {
		if n < 2*factor || n%factor != 0 {
			return &csm.GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("unet: axis %d has %d points: expected a multiple of %d and at least %d", axis, n, factor, 2*factor)}
		}
	}
	return nil
}

// Params lists every tensor.
func (m *Model) Params() []walrus.Param {
	return walrus.ParamsOf(func(v layers.Vars) { m.weights(v) })
}

// conv is a convolution or its transpose: kernel [out, in, k…] or [in, out, k…], bias [out].
type conv struct{ kernel, bias *Node }

// level has the parameters of the blocks of a level.
type level struct {
	down, up   [2]conv // of the last level only down
	downN, upN [2]norm
	raise      conv // from the next level to this one, none of the last level
}

type norm struct{ weight, bias *Node }

type weights struct {
	levels []level
	out    conv
}

// kernel gets a kernel of k points per axis and a bias.
func (c Config) kernel(v layers.Vars, first, second, k, out int) conv {
	dims, fan := []int{first, second}, second
	for range c.Axes {
		dims, fan = append(dims, k), fan*k
	}
	return conv{v.Var("weight", layers.FanIn(fan), dims...), v.Var("bias", layers.FanIn(fan), out)}
}

// weights gets every parameter from v. Initial values are torch's defaults.
func (m *Model) weights(v layers.Vars) weights {
	c := m.config
	v = v.In("unet")
	var w weights
	block := func(v layers.Vars, in, width int) (convs [2]conv, norms [2]norm) {
		for i := range convs {
			part := v.In(strconv.Itoa(i))
			convs[i] = c.kernel(part.In("conv"), width, in, 3, width)
			norms[i] = norm{part.In("norm").Var("weight", layers.One, width), part.In("norm").Var("bias", layers.Zero, width)}
			in = width
		}
		return convs, norms
	}
	in := c.Steps * c.Channels
	for i := range c.Levels {
		at, width := v.In("levels").In(strconv.Itoa(i)), c.Width<<i
		var l level
		l.down, l.downN = block(at.In("down"), in, width)
		if i < c.Levels-1 {
			l.raise = c.kernel(at.In("raise"), 2*width, width, 2, width)
			l.up, l.upN = block(at.In("up"), 2*width, width)
		}
		w.levels, in = append(w.levels, l), width
	}
	w.out = conv{v.In("out").Var("weight", layers.FanIn(c.Width), c.Channels, c.Width), v.In("out").Var("bias", layers.FanIn(c.Width), c.Channels)}
	return w
}

// Build returns the next frame [B, n…, C] for x [B, n…, T·C], the frames one after the other,
// with the parameters from v. Beyond the edges fields continue periodically on periodic axes
// and are zero on others. It panics if CheckGrid returns an error for the grid.
func (m *Model) Build(v layers.Vars, x *Node, periodic [3]bool) *Node {
	c, d := m.config, x.Shape().Clone().Dimensions
	if len(d) != c.Axes+2 || d[len(d)-1] != c.Steps*c.Channels {
		panic(fmt.Errorf("unet: expected x [B, n…, %d] with %d axes, got %v", c.Steps*c.Channels, c.Axes, d))
	}
	if err := m.CheckGrid(d[1 : 1+c.Axes]); err != nil {
		panic(err)
	}
	g := geometry{c.Axes, periodic}
	w := m.weights(v)
	space := []int{d[0], 1, 1, 1, d[len(d)-1]}
	copy(space[1:], d[1:1+c.Axes])
	h := Reshape(x, space...)
	var skips []*Node
	for i, l := range w.levels {
		h = g.block(h, l.down, l.downN)
		if i < c.Levels-1 {
			skips = append(skips, h)
			h = g.pool(h)
		}
	}
	for i := c.Levels - 2; i >= 0; i-- {
		l := w.levels[i]
		h = layers.PatchConvTranspose(h, g.in3(l.raise.kernel), l.raise.bias, g.stride(), [3]bool{})
		h = g.block(Concatenate([]*Node{skips[i], h}, -1), l.up, l.upN)
	}
	d[len(d)-1] = c.Channels
	y := Reshape(layers.Dense(h, w.out.kernel, w.out.bias), d...)
	return Add(y, SliceAxis(x, -1, AxisRange(-c.Channels)))
}

// geometry says which axes there are and which of them are periodic.
type geometry struct {
	axes     int
	periodic [3]bool
}

// stride returns a stride of two.
func (g geometry) stride() [3]int {
	s := [3]int{1, 1, 1}
	for a := range g.axes {
		s[a] = 2
	}
	return s
}

// pool returns the largest of two points along each axis of x [B, H, W, D, F].
func (g geometry) pool(x *Node) *Node {
	for a := range g.axes {
		d := x.Shape().Clone().Dimensions
		d = append(d[:1+a:1+a], append([]int{d[1+a] / 2, 2}, d[2+a:]...)...)
		x = ReduceMax(Reshape(x, d...), 2+a)
	}
	return x
}

// in3 gives a kernel three axes.
func (g geometry) in3(kernel *Node) *Node {
	d := kernel.Shape().Clone().Dimensions
	for len(d) < 5 {
		d = append(d, 1)
	}
	return Reshape(kernel, d...)
}

// block applies two convolutions to x [B, H, W, D, F].
func (g geometry) block(x *Node, convs [2]conv, norms [2]norm) *Node {
	for i, k := range convs {
		for a := range g.axes {
			x = g.pad(x, a)
		}
		x = Add(layers.PatchConv(x, g.in3(k.kernel), [3]int{1, 1, 1}), ExpandLeftToRank(k.bias, 5))
		x = layers.GELU(layers.GroupNorm(x, norms[i].weight, norms[i].bias, normGroups))
	}
	return x
}

// pad extends axis a of x [B, H, W, D, F] by a point at each end.
func (g geometry) pad(x *Node, a int) *Node {
	first, last := SliceAxis(x, 1+a, AxisRange(0, 1)), SliceAxis(x, 1+a, AxisRange(-1))
	if !g.periodic[a] {
		first, last = ZerosLike(first), ZerosLike(last)
	}
	return Concatenate([]*Node{last, x, first}, 1+a)
}
