package dpot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// Tolerances of the relative L2 distance. The original's own float32 results differ by up
// to 4e-6 from float64, because the cosines of the time aggregation have large arguments.
const (
	outputTol   = 2e-5
	gradientTol = 1e-4
	rolloutTol  = 2e-4
)

// TestGolden compares the package with the original on every case of the set.
func TestGolden(t *testing.T) {
	golden.Peers.Every(t, "dpot_", func(t *testing.T, c golden.Case) {
		is := func(suffix string) bool { return strings.HasSuffix(c.Case, suffix) }
		switch {
		case is("_weights"):
			goldenKeys(t, c)
		case is("_grads"):
			goldenGradients(t, c)
		case is("_model"):
			goldenModel(t, c)
		case is("_rollout"):
			goldenRollout(t, c)
		case is("_normalize"):
			goldenNormalize(t, c)
		case is("_rect_adapted"):
			goldenGrids(t, c)
		case is("_from2d"):
			goldenFrom2D(t, c)
		case is("_ops"):
			goldenOps(t, c)
		case is("_micro_checkpoint"):
			goldenCheckpoint(t, c)
		default:
			t.Fatalf("expected a kind of case that this test understands, got %s: %s", c.Case, c.Desc)
		}
	})
}

// originalConfig is a configuration in the original's form.
type originalConfig struct {
	Config
	Size  int     `json:"img_size"`
	Ratio float64 `json:"mlp_ratio"`
}

// network reads the configuration of a case. Networks in 3D have dpot_d3 or from2d in
// their names.
func (o originalConfig) network(name string) Config {
	c := o.Config
	axes := 2
	if strings.Contains(name, "3") {
		axes = 3
	}
	c.Grid = slices.Repeat([]int{o.Size}, axes)
	c.MLP = int(o.Ratio * float64(c.Hidden))
	return c
}

func configOf(t *testing.T, c golden.Case) Config {
	t.Helper()
	var extra struct{ Config originalConfig }
	c.Decode(t, &extra)
	cfg := extra.Config.network(c.Case)
	require.NoError(t, cfg.Validate())
	return cfg
}

func modelOf(t *testing.T, c golden.Case) *Model {
	t.Helper()
	m, err := NewModel(configOf(t, c))
	require.NoError(t, err)
	return m
}

// feeds are named inputs of a graph; weights are "w.<key>".
type feeds map[string]*tensors.Tensor

// read adds a tensor of a file.
func (in feeds) read(t *testing.T, f *golden.File, name, as string) {
	t.Helper()
	v, shape := f.Float32(t, name)
	in[as] = testbackend.Tensor(v, shape...)
}

// weights adds the tensors of the file that begin with a prefix.
func (in feeds) weights(t *testing.T, f *golden.File, prefix string) {
	t.Helper()
	found := false
	for _, name := range f.Names() {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			in.read(t, f, name, "w."+key)
			found = true
		}
	}
	require.True(t, found, "weights %s*", prefix)
}

// ofCase returns the weights of a case and its tensors with the given names.
func ofCase(t *testing.T, c golden.Case, f *golden.File, names ...string) feeds {
	t.Helper()
	in := feeds{}
	w, _ := c.OpenWeights(t)
	in.weights(t, w, "")
	for _, name := range names {
		in.read(t, f, name, name)
	}
	return in
}

// varsOf returns Vars that finds parameters among the inputs of a graph.
func varsOf(in map[string]*Node) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
		n, ok := in["w."+key]
		check(ok, "the vectors have no %s", key)
		n.AssertDims(dims...)
		return n
	})
}

// compareAll compares outputs with the tensors of the same names.
func compareAll(t *testing.T, f *golden.File, got map[string][]float32, tol float64) {
	t.Helper()
	require.NotEmpty(t, got)
	for name, v := range got {
		want, _ := f.Float32(t, name)
		golden.CompareL2(t, name, v, want, tol)
	}
}

// channelsFirst makes the last axis the second one, as in the layout of most taps.
func channelsFirst(x *Node) *Node {
	order := []int{0, x.Rank() - 1}
	for a := 1; a < x.Rank()-1; a++ {
		order = append(order, a)
	}
	return TransposeAllDims(x, order...)
}

func goldenKeys(t *testing.T, c golden.Case) {
	var extra struct {
		Parameters int64 `json:"n_parameters"`
	}
	c.Decode(t, &extra)
	cfg := configOf(t, c)
	require.Equal(t, extra.Parameters, cfg.Parameters())
	params, err := cfg.Params()
	require.NoError(t, err)
	f := c.Open(t)
	require.Len(t, params, len(f.Names()))
	for _, p := range params {
		_, shape := f.Float32(t, p.Key)
		require.Equal(t, shape, p.Dims, p.Key)
	}
}

func goldenModel(t *testing.T, c golden.Case) {
	m, f := modelOf(t, c), c.Open(t)
	in := ofCase(t, c, f, "x")
	if f.Has("target") {
		in.read(t, f, "target", "target")
	}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		add := func(name string, x *Node) {
			if f.Has(name) {
				out.Add(name, x)
			}
		}
		y := m.forward(m.Weights(varsOf(in)), in["x"], func(name string, x *Node) {
			if name != "time_agg" {
				x = channelsFirst(x)
			}
			add("tap."+name, x)
		})
		out.Add("y", y.Y)
		if y.Classes != nil {
			out.Add("cls_pred", y.Classes)
		}
		if in["target"] != nil {
			out.Add("loss", Reshape(ReduceAllSum(RelativeL2(y.Y, in["target"], nil)), 1))
		}
	})
	if f.Has("tap.out_layer") {
		got["tap.out_layer"] = decoderLayout(t, f, got["y"])
	}
	for _, name := range f.Names() {
		require.True(t, got[name] != nil || name == "x" || name == "target", "%s: not computed", name)
	}
	compareAll(t, f, got, outputTol)
}

// decoderLayout reorders y [B, points, T·C] to that of the decoder, [B, T·C, points].
func decoderLayout(t *testing.T, f *golden.File, y []float32) []float32 {
	_, shape := f.Float32(t, "tap.out_layer")
	batch, channels := shape[0], shape[1]
	points := len(y) / (batch * channels)
	out := make([]float32, len(y))
	for b := range batch {
		for p := range points {
			for k := range channels {
				out[(b*channels+k)*points+p] = y[(b*points+p)*channels+k]
			}
		}
	}
	return out
}

func goldenGradients(t *testing.T, c golden.Case) {
	var extra struct {
		Without []string `json:"parameters_without_grad"`
	}
	c.Decode(t, &extra)
	run := golden.Peers.Load(t).Case(t, strings.TrimSuffix(c.Case, "_grads")).Open(t)
	m, f := modelOf(t, c), c.Open(t)
	in := ofCase(t, c, run, "x", "target")
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		y := m.Forward(m.Weights(varsOf(in)), in["x"]).Y
		loss := ReduceAllSum(RelativeL2(y, in["target"], nil))
		var names []string
		var wrt []*Node
		for _, p := range m.params() {
			if !slices.Contains(extra.Without, p.Key) {
				names, wrt = append(names, "grad."+p.Key), append(wrt, in["w."+p.Key])
			}
		}
		names, wrt = append(names, "grad_input.x"), append(wrt, in["x"])
		for i, g := range Gradient(loss, wrt...) {
			out.Add(names[i], g)
		}
	})
	require.Len(t, got, len(f.Names()))
	compareAll(t, f, got, gradientTol)
}

func goldenNormalize(t *testing.T, c golden.Case) {
	m, f := modelOf(t, c), c.Open(t)
	in := feeds{}
	in.weights(t, f, "w.")
	in.read(t, f, "x", "x")
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		y := m.Forward(m.Weights(varsOf(in)), in["x"])
		out.Add("y", y.Y)
		out.Add("cls_pred", y.Classes)
	})
	compareAll(t, f, got, outputTol)
}

// goldenGrids runs a network on grids other than that of its position embedding.
func goldenGrids(t *testing.T, c golden.Case) {
	m, f := modelOf(t, c), c.Open(t)
	in := ofCase(t, c, f)
	var grids []string
	for _, name := range f.Names() {
		if grid, ok := strings.CutPrefix(name, "x."); ok {
			grids = append(grids, grid)
			in.read(t, f, name, name)
		}
	}
	require.NotEmpty(t, grids)
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		w := m.Weights(varsOf(in))
		for _, grid := range grids {
			x := in["x."+grid]
			out.Add("y."+grid, m.Forward(w, x).Y)
			d := x.Shape().Dimensions
			position := m.position(w, []int{d[1] / m.config.Patch, d[2] / m.config.Patch})
			out.Add("pos_embed."+grid, channelsFirst(position))
		}
	})
	compareAll(t, f, got, outputTol)
}

func goldenOps(t *testing.T, c golden.Case) {
	f := c.Open(t)
	kinds := map[string]AFNO{
		"afno_even":  {Channels: 8, Blocks: 2, Modes: []int{32, 32}},
		"afno_odd":   {Channels: 8, Blocks: 2, Modes: []int{32, 32}},
		"afno_trunc": {Channels: 8, Blocks: 2, Modes: []int{truncModes, truncModes}},
		"afno3":      {Channels: 4, Blocks: 2, Modes: []int{2, 2, 2}},
	}
	for name, a := range kinds {
		goldenOp(t, f, name, func(x *Node, v layers.Vars) *Node {
			y := a.Apply(channelsLast(x), a.Weights(v))
			return channelsFirst(y)
		})
	}
	for name, a := range map[string]TimeAggregation{
		"agg_mlp":     {Channels: 6, Steps: 4},
		"agg_exp_mlp": {Channels: 6, Steps: 4, Cosines: true},
	} {
		goldenOp(t, f, name, func(x *Node, v layers.Vars) *Node { // x is [B, h, w, T, E]
			return a.Apply(TransposeAllDims(x, 0, 3, 1, 2, 4), a.Weights(v))
		})
	}
	want, _ := f.Float32(t, "gamma_init_6")
	golden.CompareL2(t, "gamma_init_6", initialGamma(6), want, 1e-6)

	in := feeds{}
	for _, name := range []string{"loss.pred", "loss.target", "loss.mask", "pad.x"} {
		in.read(t, f, name, name)
	}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		plain := RelativeL2(in["loss.pred"], in["loss.target"], nil)
		masked := RelativeL2(in["loss.pred"], in["loss.target"], in["loss.mask"])
		out.Add("loss.sum_nomask", ReduceAllSum(plain))
		out.Add("loss.mean_nomask", ReduceAllMean(plain))
		out.Add("loss.sum_mask", ReduceAllSum(masked))
		out.Add("loss.per_sample_mask", masked)
		field := ExpandAxes(in["pad.x"], 0)
		flat := Reshape(field, 1, 6, 5, 4)
		flat = Reshape(Resize(flat, []int{8, 8}), 8, 8, 2, 2)
		out.Add("pad.y", PadChannels(flat, 4))
	})
	compareAll(t, f, got, outputTol)
}

func channelsLast(x *Node) *Node {
	order := []int{0}
	for a := 2; a < x.Rank(); a++ {
		order = append(order, a)
	}
	return TransposeAllDims(x, append(order, 1)...)
}

// goldenOp compares a layer and, where the file has them, its gradients.
func goldenOp(t *testing.T, f *golden.File, name string, layer func(x *Node, v layers.Vars) *Node) {
	t.Run(name, func(t *testing.T) {
		in := feeds{}
		in.weights(t, f, name+".w.")
		in.read(t, f, name+".x", "x")
		gradients := f.Has(name + ".dy")
		if gradients {
			in.read(t, f, name+".dy", "dy")
		}
		got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
			y := layer(in["x"], varsOf(in))
			out.Add(name+".y", y)
			if !gradients {
				return
			}
			names, wrt := []string{name + ".dx"}, []*Node{in["x"]}
			for key, n := range in {
				if key, ok := strings.CutPrefix(key, "w."); ok {
					names, wrt = append(names, fmt.Sprintf("%s.grad.%s", name, key)), append(wrt, n)
				}
			}
			for i, g := range Gradient(ReduceAllSum(Mul(y, in["dy"])), wrt...) {
				out.Add(names[i], g)
			}
		})
		compareAll(t, f, got, outputTol)
	})
}

// truncModes is the number of modes in the truncated case of the vectors.
const truncModes = 3
