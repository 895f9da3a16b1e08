package jitter_test

import (
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/jitter"
)

// item describes a grid of the golden case g.
type item struct {
	Key, Cls string
	Jitter   *bool `json:"jitter_patches"`
	Shape    []int
	BCs      [][2]int
	Kernel   [][2]int
	Flags    [3]float64 `json:"flag_channel_sums"`
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
				golden.CompareSub(t, f, it.Key+".padded", got["padded"], padded, 0, 0)
				x, shape := f.Float32(t, strings.Split(it.Key, ".")[0]+".x")
				assert.Equal(t, x, got["back"], "unjitter(jitter(x)) is x")
				for k, want := range it.Flags {
					assert.Equal(t, want, float64(got["flags"][k]), "flag channel %d of %d frames", k, shape[0]*shape[1])
				}
				if hasInverse {
					golden.CompareSub(t, f, it.Key+".un_out", got["un_out"], nil, 0, 0)
				}
			})
		}
	})
}
