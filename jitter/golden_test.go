package jitter_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// item describes a grid of the golden cases f and g.
type item struct {
	Key, Cls string
	Jitter   *bool `json:"jitter_patches"`
	Shape    []int
	BCs      [][2]int
	Kernel   [][2]int
	DimKey   string     `json:"dim_key"`
	Flags    [3]float64 `json:"flag_channel_sums"`
	SubTok   int        `json:"sub_tokens"`
	SubConv  int        `json:"sub_conv"`
	SubConv2 int        `json:"sub_conv2"`
}

func (it item) jitterer(t *testing.T) jitter.Jitterer {
	t.Helper()
	off := it.Jitter != nil && !*it.Jitter
	plan, err := csm.NewPlan(it.Shape, golden.Boundaries(t, it.BCs, len(it.Shape)), csm.Options{NoJitter: off})
	require.NoError(t, err)
	for i, a := range plan.Axes {
		require.Equal(t, it.Kernel[i], a.Stride, "strides of axis %d", i)
	}
	j := jitter.Jitterer{Plan: plan, Mode: jitter.Fixed}
	if it.Cls == "boundarypad" {
		j.Mode = jitter.Padded
	}
	if off {
		j.Mode = jitter.Off
	}
	return j
}

func tensorOf(tb testing.TB, f *golden.File, name string) *tensors.Tensor {
	v, shape := f.Float32(tb, name)
	return testbackend.Tensor(v, shape...)
}

// modelLayout returns y [F, H, W, D, C] as [F, C, H, W, D].
func modelLayout(y *Node) *Node { return TransposeAllDims(y, 0, 4, 1, 2, 3) }

// compareSub compares with the first stored variant of a tensor: complete, or subsampled
// with the stride in its name.
func compareSub(t *testing.T, f *golden.File, name string, got []float32, shape []int, exact bool, stride int) {
	t.Helper()
	stored := name
	for _, suffix := range []string{"", "_sub", "_sub2", "_sub3"} {
		if f.Has(name + suffix) {
			stored = name + suffix
			if suffix == "_sub2" || suffix == "_sub3" {
				stride = int(suffix[4] - '0')
			}
			if suffix != "" {
				got, _ = golden.Sub(got, shape, stride, 8)
			}
			break
		}
	}
	want, _ := f.Float32(t, stored)
	if exact {
		assert.Equal(t, want, got, "%s: exact", stored)
		return
	}
	golden.Compare(t, stored, got, want, 1e-5)
}

func TestGoldenJitter(t *testing.T) {
	golden.Every(t, "g_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for i := range c.Items {
			var it item
			c.Item(t, i, &it)
			t.Run(it.Key, func(t *testing.T) {
				j := it.jitterer(t)
				shift, _ := f.Int32(t, it.Key+".jitter")
				require.NoError(t, j.CheckShift([3]int32(shift)))
				in := map[string]*tensors.Tensor{
					"x":     tensorOf(t, f, strings.Split(it.Key, ".")[0]+".x"),
					"shift": testbackend.Tensor(shift, 3),
				}
				hasInverse := f.Has(it.Key + ".un_in")
				if hasInverse {
					in["un_in"] = tensorOf(t, f, it.Key+".un_in")
				}
				var padded []int
				got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
					x := in["x"]
					d := x.Shape().Dimensions
					y := j.Apply(x, in["shift"])
					out.Add("padded", modelLayout(y))
					padded = modelLayout(y).Shape().Dimensions
					fields := SliceAxis(y, 4, AxisRange(0, d[2]))
					out.Add("back", j.Invert(fields, in["shift"], d[0], d[1]))
					out.Add("flags", ReduceSum(SliceAxis(y, 4, AxisRange(d[2])), 0, 1, 2, 3))
					if hasInverse {
						u := in["un_in"]
						d := u.Shape().Dimensions
						u = TransposeAllDims(Reshape(u, d[0]*d[1], d[2], d[3], d[4], d[5]), 0, 2, 3, 4, 1)
						out.Add("un_out", j.Invert(u, in["shift"], d[0], d[1]))
					}
				})
				compareSub(t, f, it.Key+".padded", got["padded"], padded, true, 0)
				x, shape := f.Float32(t, strings.Split(it.Key, ".")[0]+".x")
				assert.Equal(t, x, got["back"], "unjitter(jitter(x)) is x")
				for k, want := range it.Flags {
					assert.Equal(t, want, float64(got["flags"][k]), "flag channel %d of %d frames", k, shape[0]*shape[1])
				}
				if hasInverse {
					compareSub(t, f, it.Key+".un_out", got["un_out"], nil, true, 0)
				}
			})
		}
	})
}

// weights loads the model's tensors with a prefix.
func weights(t *testing.T, f *golden.File, prefix string, into map[string]*tensors.Tensor) {
	for _, name := range f.Names() {
		if strings.HasPrefix(name, prefix) {
			into[name] = tensorOf(t, f, name)
		}
	}
}

func TestGoldenEncoderDecoder(t *testing.T) {
	golden.Every(t, "f_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		w, _ := c.OpenWeights(t)
		for i := range c.Items {
			var it item
			c.Item(t, i, &it)
			t.Run(fmt.Sprint(i), func(t *testing.T) { encoderDecoder(t, f, w, fmt.Sprintf("%d.", i), it) })
		}
	})
}

func encoderDecoder(t *testing.T, f, w *golden.File, prefix string, it item) {
	j := it.jitterer(t)
	ids, _ := f.Int32(t, prefix+"field_ids")
	shift, _ := f.Int32(t, prefix+"jitter")
	all := append(append([]int32{}, ids...), 2, 0, 1)
	in := map[string]*tensors.Tensor{
		"x": tensorOf(t, f, prefix+"x"), "ids": testbackend.Tensor(ids, len(ids)),
		"all": testbackend.Tensor(all, len(all)), "shift": testbackend.Tensor(shift, 3),
		"dummy": tensorOf(t, w, "encoder_dummy"),
	}
	weights(t, w, "embed."+it.DimKey, in)
	weights(t, w, "debed."+it.DimKey, in)
	_, p1 := w.Float32(t, "embed."+it.DimKey+".proj1.weight")
	_, p2 := w.Float32(t, "embed."+it.DimKey+".proj2.weight")
	h := csm.HMLP{Inner: p1[0], States: p1[1], Hidden: p2[0]}
	shapes := map[string][]int{}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		vars := layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
			in[key].AssertDims(dims...)
			return in[key]
		})
		add := func(name string, n *Node, batch ...int) {
			n = modelLayout(n)
			d := n.Shape().Dimensions
			if len(batch) == 2 {
				n = Reshape(n, batch[0], batch[1], d[1], d[2], d[3], d[4])
			}
			shapes[name] = n.Shape().Dimensions
			out.Add(name, n)
		}
		d := in["x"].Shape().Dimensions
		e := h.TraceEncode(j.Apply(in["x"], in["shift"]), h.EncoderWeights(vars.In("embed").In(it.DimKey)), in["all"], nil, j.Plan)
		dec := h.TraceDecode(e.Tokens, h.DecoderWeights(vars.In("debed").In(it.DimKey)), in["ids"], j.Plan)
		add("conv1", e.Conv1)
		add("norm1", e.Norm1)
		add("conv2", e.Conv2)
		add("tokens", e.Tokens, d[0], d[1])
		add("dconv1", dec.Conv1)
		add("dnorm1", dec.Norm1)
		y := j.Invert(dec.Fields, in["shift"], d[0], d[1])
		shapes["unjittered"] = y.Shape().Dimensions
		out.Add("unjittered", y)
	})
	stride := map[string]int{"tokens": it.SubTok, "conv2": it.SubConv2}
	for _, name := range []string{"conv1", "norm1", "conv2", "tokens", "dconv1", "dnorm1", "unjittered"} {
		s, ok := stride[name]
		if !ok {
			s = it.SubConv
		}
		compareSub(t, f, prefix+name, got[name], shapes[name], false, s)
	}
}
