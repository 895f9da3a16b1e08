package csm_test

import (
	"fmt"
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
)

// item describes a grid of the golden case f, whose inputs are jittered.
type item struct {
	Cls      string
	Shape    []int
	BCs      [][2]int
	Kernel   [][2]int
	DimKey   string `json:"dim_key"`
	SubTok   int    `json:"sub_tokens"`
	SubConv  int    `json:"sub_conv"`
	SubConv2 int    `json:"sub_conv2"`
}

func (it item) plan(t *testing.T) *csm.Plan {
	t.Helper()
	plan, err := csm.NewPlan(it.Shape, golden.Boundaries(t, it.BCs, len(it.Shape)), csm.Options{})
	require.NoError(t, err)
	for i, a := range plan.Axes {
		require.Equal(t, it.Kernel[i], a.Stride, "strides of axis %d", i)
	}
	return plan
}

func tensorOf(tb testing.TB, f *golden.File, name string) *tensors.Tensor {
	v, shape := f.Float32(tb, name)
	return testbackend.Tensor(v, shape...)
}

// modelLayout returns y [F, H, W, D, C] as [F, C, H, W, D].
func modelLayout(y *Node) *Node { return TransposeAllDims(y, 0, 4, 1, 2, 3) }

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
	j := jitter.Jitterer{Plan: it.plan(t), Mode: jitter.Fixed}
	if it.Cls == "boundarypad" {
		j.Mode = jitter.Padded
	}
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
		golden.CompareSub(t, f, prefix+name, got[name], shapes[name], s, 1e-5)
	}
}
