package dpot

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// TestUnpatch: the transposed convolution by loops, also for axes of one token.
func TestUnpatch(t *testing.T) {
	const in, out, patch = 3, 2, 4
	for _, grid := range [][3]int{{1, 3, 1}, {2, 1, 1}, {1, 1, 1}, {2, 3, 1}} {
		for _, depth := range []int{1, patch} { // 2D and 3D kernels
			stride := [3]int{patch, patch, depth}
			got := testbackend.Run(t, func(n []*Node) []*Node { return []*Node{unpatch(n[0], n[1], n[2], stride)} },
				testbackend.Normal("x", 2, grid[0], grid[1], grid[2], in), testbackend.Normal("w", in, out, patch, patch, depth), testbackend.Normal("b", out))[0]
			x, w, b := values("x", 2*product(grid[:])*in), values("w", in*out*patch*patch*depth), values("b", out)
			var want []float32
			each([]int{2, grid[0] * patch, grid[1] * patch, grid[2] * depth, out}, func(i []int) {
				sum := float64(b[i[4]])
				for c := range in {
					token := (((i[0]*grid[0]+i[1]/patch)*grid[1]+i[2]/patch)*grid[2]+i[3]/depth)*in + c
					kernel := (((c*out+i[4])*patch+i[1]%patch)*patch+i[2]%patch)*depth + i[3]%depth
					sum += float64(x[token]) * float64(w[kernel])
				}
				want = append(want, float32(sum))
			})
			golden.CompareL2(t, fmt.Sprint(grid, depth), got, want, 1e-6)
		}
	}
}

// TestCoordinates: the appended channels run from 0 to 1 along each axis of space and of
// time, and are 0 on an axis of one point.
func TestCoordinates(t *testing.T) {
	got := testbackend.Run(t, func(in []*Node) []*Node { return []*Node{withCoordinates(in[0])} }, testbackend.Normal("x", 1, 3, 2, 1, 1))[0]
	x := values("x", 6)
	require.Equal(t, []float32{x[0], 0, 0, 0, x[1], 1, 0, 0, x[2], 0, 0, 0.5, x[3], 1, 0, 0.5, x[4], 0, 0, 1, x[5], 1, 0, 1}, got)
}

// TestSamplesAreIndependent: a batch gives the results of its samples, also if each is
// normalised.
func TestSamplesAreIndependent(t *testing.T) {
	normalizing := small()
	normalizing.Normalize = true
	for _, c := range []Config{normalizing, small3D()} {
		w := initialized(t, c)
		shape := append(append([]int{2}, c.Grid...), c.InSteps, c.InChannels)
		half := product(shape[1:])
		x := values("x", 2*half)
		both := output(t, w, x, shape...)
		shape[0] = 1
		var single []float32
		for b := range 2 {
			single = append(single, output(t, w, x[b*half:(b+1)*half], shape...)...)
		}
		golden.CompareL2(t, c.Name, both, single, 2e-6)
	}
}

// TestNormalizedScale: a normalising network maps scaled and shifted fields to outputs that
// are scaled and shifted alike, up to the functions of the statistics, which are zero here.
func TestNormalizedScale(t *testing.T) {
	c := small()
	c.Normalize = true
	w := initialized(t, c)
	for _, key := range []string{"scale_feats_mu.weight", "scale_feats_sigma.weight"} {
		require.NoError(t, w.Set(key, testbackend.Tensor(make([]float32, c.Hidden*2*c.InChannels), c.Hidden, 2*c.InChannels)))
	}
	shape := append(append([]int{1}, c.Grid...), c.InSteps, c.InChannels)
	x := values("x", product(shape))
	y := output(t, w, x, shape...)
	for i := range x {
		x[i] = 4*x[i] + 16
	}
	for i := range y {
		y[i] = 4*y[i] + 16
	}
	golden.CompareL2(t, "y", output(t, w, x, shape...), y, 1e-5)
}

// TestBuild: parameters in a scope of gomlx have the original's names.
func TestBuild(t *testing.T) {
	c := small()
	m, err := NewModel(c)
	require.NoError(t, err)
	store := model.NewStore()
	out, err := model.CallOnceN(testbackend.New(t), store, func(scope *model.Scope, x *Node) []*Node {
		y := m.Build(layers.ScopeVars(scope, x.Graph()), x)
		return []*Node{y.Y, y.Classes}
	}, testbackend.Normal("x", 1, 8, 16, 3, 2))
	require.NoError(t, err)
	require.Equal(t, []int{1, 8, 16, 1, 2}, out[0].Shape().Dimensions)
	require.Equal(t, []int{1, 3}, out[1].Shape().Dimensions)
	params, err := c.Params()
	require.NoError(t, err)
	for _, p := range params {
		v := store.GetVariable("/" + strings.ReplaceAll(p.Key, ".", "/"))
		require.NotNil(t, v, p.Key)
		require.Equal(t, p.Dims, v.Shape().Dimensions, p.Key)
	}
}

func TestForwardRefuses(t *testing.T) {
	m, err := NewModel(small())
	require.NoError(t, err)
	for _, c := range []struct {
		dims []int
		text string
	}{
		{[]int{1, 8, 16, 2}, "with 2 spatial axes: got shape [1 8 16 2]"},
		{[]int{1, 8, 18, 3, 2}, "axis 1 has 18 points: expected a positive multiple of 4"},
		{[]int{1, 8, 16, 4, 2}, "expected 3 frames of 2 channels"},
		{[]int{1, 8, 16, 3, 1}, "expected 3 frames of 2 channels"},
	} {
		in := feedsOf(initialized(t, small()))
		args, names := []any{testbackend.Normal("x", c.dims...)}, []string{"x"}
		for name, v := range in {
			args, names = append(args, v), append(names, name)
		}
		_, err := CallOnceN(testbackend.New(t), func(n []*Node) []*Node {
			nodes := map[string]*Node{}
			for i, name := range names {
				nodes[name] = n[i]
			}
			return []*Node{m.Forward(m.Weights(varsOf(nodes)), nodes["x"]).Y}
		}, args...)
		require.ErrorContains(t, err, c.text)
	}
}

func TestCheckGrid(t *testing.T) {
	c := Ti()
	require.NoError(t, c.CheckGrid([]int{64, 8}))
	for _, grid := range [][]int{nil, {128}, {64, 64, 64}, {0, 8}, {-8, 8}, {100, 128}, {8, 1 << 20}} {
		var refused *csm.GridError
		require.True(t, errors.As(c.CheckGrid(grid), &refused), grid)
		require.Equal(t, grid, refused.Grid)
	}
	require.ErrorContains(t, c.CheckGrid([]int{100, 128}), "axis 0 has 100 points: expected a positive multiple of 8")
	require.ErrorContains(t, c.CheckGrid([]int{64, 64, 64}), "expected 2 axes")
}

func TestValidate(t *testing.T) {
	for _, c := range Presets() {
		require.NoError(t, c.Validate(), c.Name)
		again, err := Preset(c.Name)
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
	_, err := Preset("dpot-xl")
	require.ErrorContains(t, err, `expected one of dpot-ti, dpot-s`)
	for text, change := range map[string]func(c *Config){
		"patch_size: expected 1 to 256, got 0":                 func(c *Config) { c.Patch = 0 },
		"in_channels: expected 1 to":                           func(c *Config) { c.InChannels = -1 },
		"modes: expected 1":                                    func(c *Config) { c.Modes = 0 },
		"grid: expected two or three axes, got [8]":            func(c *Config) { c.Grid = []int{8} },
		"grid: axis 1: expected a positive multiple":           func(c *Config) { c.Grid = []int{8, 9} },
		"embed_dim: expected a multiple of 8":                  func(c *Config) { c.Hidden = 20 },
		"n_blocks: expected a divisor of embed_dim 16, got 3":  func(c *Config) { c.MixingBlocks = 3 },
		"normalize: expected as many output channels as input": func(c *Config) { c.Normalize, c.OutChannels = true, 1 },
		"act: activation: expected 0 to 1 (gelu, silu), got 9": func(c *Config) { c.Activation = 9 },
		"time_agg: time aggregation: expected 0 to 1":          func(c *Config) { c.Aggregation = -1 },
	} {
		c := small()
		change(&c)
		require.ErrorContains(t, c.Validate(), "dpot: config: "+text)
		_, err := NewModel(c)
		require.Error(t, err)
		require.Zero(t, c.Parameters())
	}
}

// TestInitialValues compares the distributions that differ from torch's defaults.
func TestInitialValues(t *testing.T) {
	params, err := Ti().Params()
	require.NoError(t, err)
	inits := map[string]layers.Init{}
	for _, p := range params {
		inits[p.Key] = p.Init
	}
	require.Equal(t, layers.Init{Uniform: 1. / (128 * 128), Positive: true}, inits["blocks.3.filter.b2"])
	require.Equal(t, layers.Init{Normal: 0.02}, inits["pos_embed"])
	require.InEpsilon(t, 0.1/22.627417, inits["time_agg_layer.w"].Normal, 1e-6)
	require.Equal(t, float32(1./1024), inits["time_agg_layer.gamma"].Values[0])
	require.Equal(t, float32(1024), inits["time_agg_layer.gamma"].Values[511])
	require.Equal(t, layers.FanIn(7*64), inits["patch_embed.proj.0.weight"])
	require.Equal(t, layers.FanIn(32*64), inits["out_layer.0.weight"]) // torch counts the outputs
	require.Equal(t, layers.FanIn(32*64), inits["out_layer.0.bias"])
	require.Equal(t, layers.FanIn(512), inits["blocks.0.mlp.0.bias"])
	require.Equal(t, layers.One, inits["blocks.0.norm1.weight"])
}
