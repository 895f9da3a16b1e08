// Package fno implements the Fourier neural operator (arXiv 2010.08895), a plain reference for
// comparisons that is trained from scratch:
//
//	h₀ = lift(frames and coordinates),  hᵢ₊₁ = act( F⁻¹(Rᵢ·F(hᵢ)) + Wᵢ·hᵢ + bᵢ ),  y = last frame + project(h)
//
// F is the Fourier transform over space and Rᵢ has a complex matrix for each of the lowest
// frequencies; the others are zero. act is the GELU, which the last layer leaves out. The
// network predicts the change of the last frame.
//
// The letters of shapes are B batch, n… the points along one to three axes, T frames, C
// channels and E the width.
package fno

import (
	"errors"
	"fmt"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/fourier"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/limits"
)

// Config describes a network.
type Config struct {
	// Axes is the number of spatial axes, 1 to 3. Channels is C, Steps is T.
	Axes     int `json:"axes"`
	Channels int `json:"channels"`
	Steps    int `json:"steps"`
	// Width is E. Modes is the number of frequencies of each sign that are kept on each axis,
	// Depth the number of Fourier layers.
	Width int `json:"width"`
	Modes int `json:"modes"`
	Depth int `json:"depth"`
}

// For returns a network for a grid and a number of channels: four frames and four layers of at
// most 17 million parameters, with as many modes as the grid has, up to 16 (in 3D 8).
func For(grid []int, channels int) Config {
	c := Config{Axes: len(grid), Channels: channels, Steps: 4, Width: 64, Modes: 16, Depth: 4}
	if c.Axes == 3 {
		c.Width, c.Modes = 32, 8
	}
	for _, n := range grid {
		c.Modes = min(c.Modes, n/2)
	}
	return c
}

// maxSize bounds all sizes of a configuration.
const maxSize = 1 << 12

// Validate returns an error that lists every problem.
func (c Config) Validate() error {
	var problems []error
	addf := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("fno: config: "+format, args...))
	}
	limits.Size(addf, "axes", c.Axes, 3)
	limits.Size(addf, "channels", c.Channels, maxSize)
	limits.Size(addf, "steps", c.Steps, maxSize)
	limits.Size(addf, "width", c.Width, maxSize)
	limits.Size(addf, "modes", c.Modes, maxSize)
	limits.Size(addf, "depth", c.Depth, maxSize)
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

// CheckGrid returns a [*csm.GridError] unless the grid has the network's number of axes and all
// of its frequencies.
func (m *Model) CheckGrid(grid []int) error {
	c := m.config
	if len(grid) != c.Axes {
		return &csm.GridError{Grid: grid, Axis: -1, Err: fmt.Errorf("fno: a grid %v: expected %d axes", grid, c.Axes)}
	}
	for axis, n := range grid {
		if n < 2*c.Modes {
			return &csm.GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("fno: axis %d has %d points: expected at least %d, twice the modes", axis, n, 2*c.Modes)}
		}
	}
	return nil
}

// Params lists every tensor.
func (m *Model) Params() []walrus.Param {
	return walrus.ParamsOf(func(v layers.Vars) { m.weights(v) })
}

// affine is a dense layer.
type affine struct{ weight, bias *Node }

func (a affine) apply(x *Node) *Node { return layers.Dense(x, a.weight, a.bias) }

// weights are the parameters.
type weights struct {
	lift, hidden, project affine
	spectral              []*Node // [2, K, E, E], real parts first
	skip                  []affine
}

// frequencies returns the number K of kept frequencies.
func (c Config) frequencies() int {
	k := c.Modes
	for range c.Axes - 1 {
		k *= 2 * c.Modes
	}
	return k
}

// weights gets every parameter from v. Initial values are those of the original.
func (m *Model) weights(v layers.Vars) weights {
	c := m.config
	dense := func(v layers.Vars, out, in int) affine {
		return affine{v.Var("weight", layers.FanIn(in), out, in), v.Var("bias", layers.FanIn(in), out)}
	}
	v = v.In("fno")
	w := weights{lift: dense(v.In("lift"), c.Width, c.Steps*c.Channels+c.Axes)}
	for i := range c.Depth {
		layer := v.In("layers").In(strconv.Itoa(i))
		w.spectral = append(w.spectral, layer.Var("spectral", layers.Init{Uniform: 1 / float64(c.Width*c.Width), Positive: true}, 2, c.frequencies(), c.Width, c.Width))
		w.skip = append(w.skip, dense(layer.In("skip"), c.Width, c.Width))
	}
	w.hidden, w.project = dense(v.In("hidden"), 2*c.Width, c.Width), dense(v.In("project"), c.Channels, 2*c.Width)
	return w
}

// Build returns the next frame [B, n…, C] for x [B, n…, T·C], the frames one after the other,
// with the parameters from v. The network knows no boundaries. It panics if CheckGrid returns
// an error for the grid.
func (m *Model) Build(v layers.Vars, x *Node, _ [3]bool) *Node {
	c, d := m.config, x.Shape().Dimensions
	if len(d) != c.Axes+2 || d[len(d)-1] != c.Steps*c.Channels {
		panic(fmt.Errorf("fno: expected x [B, n…, %d] with %d axes, got %v", c.Steps*c.Channels, c.Axes, d))
	}
	if err := m.CheckGrid(d[1 : 1+c.Axes]); err != nil {
		panic(err)
	}
	var kept [][]int
	for axis, n := range d[1 : 1+c.Axes] {
		if axis == c.Axes-1 {
			kept = append(kept, fourier.Lowest(n, c.Modes, true))
		} else {
			kept = append(kept, fourier.Symmetric(n, c.Modes))
		}
	}
	w, f := m.weights(v), fourier.New(x, kept)
	h := w.lift.apply(withCoordinates(x))
	for i, matrix := range w.spectral {
		h = Add(spectral(f, h, matrix), w.skip[i].apply(h))
		if i < c.Depth-1 {
			h = layers.GELU(h)
		}
	}
	y := w.project.apply(layers.GELU(w.hidden.apply(h)))
	return Add(y, SliceAxis(x, -1, AxisRange(-c.Channels)))
}

// withCoordinates appends to x [B, n…, F] the position of each point along each axis, from 0 to
// 1.
func withCoordinates(x *Node) *Node {
	parts := []*Node{x}
	for axis := 1; axis < x.Rank()-1; axis++ {
		s := x.Shape().Clone()
		s.Dimensions[x.Rank()-1] = 1
		parts = append(parts, DivScalar(Iota(x.Graph(), s, axis), float64(s.Dimensions[axis]-1)))
	}
	return Concatenate(parts, -1)
}

// spectral multiplies each frequency of h [B, n…, E] with its matrix.
func spectral(f fourier.Transform, h, matrix *Node) *Node {
	spectrum := f.Forward(h) // [2, k…, B, E]
	d := spectrum.Shape().Clone().Dimensions
	b, e := d[len(d)-2], d[len(d)-1]
	z := Reshape(TransposeAllDims(Reshape(spectrum, 2, -1, b, e), 1, 2, 0, 3), -1, b, 2*e)
	z = Reshape(fourier.Dense(z, matrix, nil), -1, b, 2, e)
	return f.Inverse(Reshape(TransposeAllDims(z, 2, 0, 1, 3), d...))
}
