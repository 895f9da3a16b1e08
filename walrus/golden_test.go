package walrus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// modelTol is the largest error of whole-model outputs, taps, gradients and
// rollouts, relative to the tensor's largest magnitude.
const modelTol = 1e-4

// goldenConfig returns the configuration of the golden set's tiny model.
func goldenConfig(t *testing.T) walrus.Config {
	t.Helper()
	c, err := walrus.ReadConfig(golden.Path(t, "extended_config.yaml"))
	require.NoError(t, err)
	return c
}

// weightInputs loads a weight file as graph inputs "w.<key>".
func weightInputs(t *testing.T, f *golden.File) map[string]*tensors.Tensor {
	in := map[string]*tensors.Tensor{}
	for _, name := range f.Names() {
		v, shape := f.Float32(t, name)
		in["w."+name] = testbackend.Tensor(v, shape...)
	}
	return in
}

func varsOf(in map[string]*Node) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
		n, ok := in["w."+key]
		if !ok {
			panic(fmt.Errorf("the golden weights have no %s", key))
		}
		n.AssertDims(dims...)
		return n
	})
}

// draws are the recorded random numbers of one forward pass.
type draws struct {
	shift [3]int32
	rolls [][3]int32
}

// drawsOf reads draw i of a case; the tensors may lack the leading axis.
func drawsOf(t *testing.T, f *golden.File, i int) draws {
	t.Helper()
	shift, _ := f.Int32(t, "jitter")
	flat, shape := f.Int32(t, "block_rolls")
	blocks := shape[len(shape)-2]
	d := draws{shift: [3]int32(shift[3*i:])}
	for b := range blocks {
		d.rolls = append(d.rolls, [3]int32(flat[3*(i*blocks+b):]))
	}
	return d
}

// add adds the draws to the graph inputs.
func (d draws) add(t *testing.T, plan *csm.Plan, in map[string]*tensors.Tensor) {
	t.Helper()
	acc, err := jitter.AccumulateRolls(plan, d.rolls)
	require.NoError(t, err)
	flat := make([]int32, 0, 3*len(acc))
	for _, r := range acc {
		flat = append(flat, r[:]...)
	}
	in["shift"] = testbackend.Tensor(slices.Clone(d.shift[:]), 3)
	in["rolls"] = testbackend.Tensor(flat, len(acc), 3)
}

// rolled rolls [F, C, h, w, d] by moving its values, in Go.
func rolled(x []float32, shape []int, by [3]int32) []float32 {
	out := make([]float32, len(x))
	h, w, d := shape[len(shape)-3], shape[len(shape)-2], shape[len(shape)-1]
	for base := 0; base < len(x); base += h * w * d {
		for i := range h {
			for j := range w {
				for k := range d {
					to := ((i+int(by[0]))%h*w+(j+int(by[1]))%w)*d + (k+int(by[2]))%d
					out[base+to] = x[base+(i*w+j)*d+k]
				}
			}
		}
	}
	return out
}

type modelCase struct {
	Shape  []int
	BCs    [][2]int
	T, B   int
	Jitter bool `json:"jitter_patches"`
}

func TestGoldenModel(t *testing.T) {
	golden.Every(t, "h_", func(t *testing.T, c golden.Case) {
		var meta modelCase
		c.Decode(t, &meta)
		cfg := goldenConfig(t)
		if !meta.Jitter {
			cfg.Jitter = walrus.JitterOff
		}
		m, err := walrus.NewModel(cfg)
		require.NoError(t, err)
		plan, err := m.Plan(meta.Shape, golden.Boundaries(t, meta.BCs, len(meta.Shape)))
		require.NoError(t, err)
		f := c.Open(t)
		w, _ := c.OpenWeights(t)
		in := weightInputs(t, w)
		x, xs := f.Float32(t, "x")
		ids, _ := f.Int32(t, "field_ids")
		in["x"] = testbackend.Tensor(x, xs...)
		in["ids"] = testbackend.Tensor(ids, len(ids))
		d := drawsOf(t, f, 0)
		d.add(t, plan, in)
		shapes := map[string][]int{}
		got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
			x := in["x"]
			for x.Rank() < 6 {
				x = ExpandAxes(x, -1)
			}
			var tr walrus.Taps
			steps, batch := x.Shape().Dim(0), x.Shape().Dim(1)
			weights := m.Weights(varsOf(in))
			inputs := walrus.Inputs{X: x, IDs: in["ids"], Shift: in["shift"], Rolls: in["rolls"]}
			y := m.ForwardTaps(weights, inputs, plan, &tr)
			add := func(name string, n *Node) {
				n = TransposeAllDims(n, 0, 4, 1, 2, 3)
				n = Reshape(n, append([]int{steps, batch}, n.Shape().Dimensions[1:]...)...)
				shapes[name] = n.Shape().Dimensions
				out.Add(name, n)
			}
			// The reference scales the fields before it pads them; this library scales
			// their kernel columns. Neither scales the boundary channels.
			fields := SliceAxis(tr.Jittered, 4, AxisRange(0, x.Shape().Dim(2)))
			flags := SliceAxis(tr.Jittered, 4, AxisRange(x.Shape().Dim(2)))
			add("tap.jittered", Concatenate([]*Node{Mul(fields, Reshape(weights.FieldScale)), flags}, 4))
			add("tap.encoder", tr.Encoded)
			for i, b := range tr.Blocks {
				add(fmt.Sprintf("tap.block%d", i), b)
			}
			add("tap.decoder", tr.Decoded)
			shapes["y"] = y.Shape().Dimensions
			out.Add("y", y)
			if plan.Dims == 2 {
				inputs.LastOnly = true
				out.Add("last", m.Forward(weights, inputs, plan))
			}
		})
		acc, err := jitter.AccumulateRolls(plan, d.rolls)
		require.NoError(t, err)
		for i := range d.rolls {
			// The reference rolls the tokens; this library leaves them in place and
			// shifts their positions.
			from := "tap.encoder"
			if i > 0 {
				from = fmt.Sprintf("tap.block%d", i-1)
			}
			name := fmt.Sprintf("tap.block%d", i)
			shapes[name+"_in"] = shapes[from]
			got[name+"_in"] = rolled(got[from], shapes[from], acc[i])
		}
		shapes["tap.unrolled"] = shapes["tap.encoder"]
		got["tap.unrolled"] = got[fmt.Sprintf("tap.block%d", len(d.rolls)-1)]
		for i := range d.rolls {
			name := fmt.Sprintf("tap.block%d", i)
			got[name+"@rolled"] = rolled(got[name], shapes[name], acc[i])
		}
		checked := 0
		for _, name := range f.Names() {
			base, stride := strings.TrimSuffix(name, "_sub"), 7
			if b, ok := strings.CutSuffix(name, "_sub2"); ok {
				base, stride = b, 2
			} else if base == name {
				stride = 1
			}
			have, ok := got[base]
			if name == "x" || name == "field_ids" || name == "jitter" || name == "block_rolls" {
				continue
			}
			require.True(t, ok, "%s: golden tensor that no test computes", name)
			if r, ok := got[base+"@rolled"]; ok {
				have = r
			}
			if stride > 1 {
				have, _ = golden.Sub(have, shapes[base], stride, 8)
			}
			want, _ := f.Float32(t, name)
			golden.Compare(t, name, have, want, modelTol)
			checked++
		}
		require.Greater(t, checked, 5)
		if y := got["y"]; plan.Dims == 2 {
			golden.Compare(t, "last step only", got["last"], y[len(y)-len(got["last"]):], 1e-5)
		}
	})
}

func TestGoldenStats(t *testing.T) {
	golden.Every(t, "j_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for i := range c.Items {
			for kind, name := range map[walrus.Normalization]string{walrus.NormalizeRMS: "rms", walrus.NormalizeMeanStd: "meanstd"} {
				prefix := fmt.Sprintf("%d.", i)
				x, xs := f.Float32(t, prefix+"x")
				y, ys := f.Float32(t, prefix+"y")
				in := map[string]*tensors.Tensor{"x": testbackend.Tensor(x, xs...), "y": testbackend.Tensor(y, ys...)}
				got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
					s := walrus.SampleStats(in["x"], walrus.Scaling{Normalization: kind})
					out.Add("sample_mean", s.Mean)
					out.Add("sample_std", s.Std)
					out.Add("delta_mean", s.DeltaMean)
					out.Add("delta_std", s.DeltaStd)
					out.Add("normalized", s.Normalize(in["x"]))
					out.Add("denorm", s.Denormalize(in["y"]))
					out.Add("normalized_delta", s.NormalizeDelta(in["y"]))
					out.Add("denorm_delta", s.DenormalizeDelta(in["y"]))
				})
				for _, full := range f.Names() {
					key, ok := strings.CutPrefix(full, prefix+name+".")
					if !ok {
						continue
					}
					require.Contains(t, got, key, "%s: golden tensor that no test computes", full)
					want, _ := f.Float32(t, full)
					golden.Compare(t, full, got[key], want, modelTol)
				}
			}
		}
	})
}
