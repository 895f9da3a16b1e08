package layers_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/require"
)

// layerTol is the largest error of a single layer, relative to the tensor's
// largest magnitude.
const layerTol = 1e-5

type (
	named  = map[string]*Node
	values = map[string]*tensors.Tensor
)

// moveAxis returns x with one axis moved; negative axes count from the end.
func moveAxis(x *Node, from, to int) *Node {
	if from < 0 {
		from += x.Rank()
	}
	if to < 0 {
		to += x.Rank()
	}
	var order []int
	for a := range x.Rank() {
		if a != from {
			order = append(order, a)
		}
	}
	order = append(order[:to:to], append([]int{from}, order[to:]...)...)
	return TransposeAllDims(x, order...)
}

// load reads the golden tensors of the given names, prefixed.
func load(tb testing.TB, f *golden.File, prefix string, names ...string) values {
	tb.Helper()
	out := values{}
	for _, n := range names {
		v, shape := f.Float32(tb, prefix+n)
		out[n] = testbackend.Tensor(v, shape...)
	}
	return out
}

// weightsOf loads every tensor below a prefix of a weight file as "w.<key>".
func weightsOf(tb testing.TB, f *golden.File, prefix string, into values) {
	tb.Helper()
	for _, name := range f.Names() {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			v, shape := f.Float32(tb, name)
			into["w."+key] = testbackend.Tensor(v, shape...)
		}
	}
}

// varsOf resolves parameters from inputs loaded by weightsOf.
func varsOf(in named) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
		n, ok := in["w."+key]
		if !ok {
			panic(fmt.Errorf("the golden weights have no %s", key))
		}
		n.AssertDims(dims...)
		return n
	})
}

// gradients adds the gradient of sum(y·dy) for x and every weight.
func gradients(in named, y *Node, out *testbackend.Outputs) {
	dy, ok := in["dy"]
	if !ok {
		return
	}
	names, wrt := []string{"dx"}, []*Node{in["x"]}
	for name, n := range in {
		if key, isWeight := strings.CutPrefix(name, "w."); isWeight {
			names, wrt = append(names, "grad."+key), append(wrt, n)
		}
	}
	for i, g := range Gradient(ReduceAllSum(Mul(y, dy)), wrt...) {
		out.Add(names[i], g)
	}
}

// compareAll checks every float32 tensor of the golden item that the run
// produced, and that nothing but inputs was left unchecked.
func compareAll(t *testing.T, f *golden.File, prefix string, got map[string][]float32, inputs values, skip func(name string) bool) {
	t.Helper()
	for _, name := range f.Names() {
		key, ok := strings.CutPrefix(name, prefix)
		if _, isInput := inputs[key]; !ok || isInput || skip(key) {
			continue
		}
		have, ok := got[key]
		if !ok {
			t.Errorf("%s: golden tensor that no test computes", name)
			continue
		}
		want, _ := f.Float32(t, name)
		golden.Compare(t, name, have, want, layerTol)
	}
}

func noSkip(string) bool { return false }

func TestGoldenRMSGroupNorm(t *testing.T) {
	golden.Every(t, "a_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for i := range c.Items {
			prefix := fmt.Sprintf("%d.", i)
			in := load(t, f, prefix, "x", "weight", "dy")
			got := testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
				y := moveAxis(layers.RMSGroupNorm(moveAxis(in["x"], 1, -1), in["weight"], layers.NormConfig{}), -1, 1)
				g := Gradient(ReduceAllSum(Mul(y, in["dy"])), in["x"], in["weight"])
				out.Add("y", y)
				out.Add("dx", g[0])
				out.Add("dweight", g[1])
			})
			compareAll(t, f, prefix, got, in, noSkip)
		}
	})
}

// ropeGolden runs one variant of case b: q [B, N, H, W, D, K].
func ropeGolden(t *testing.T, f *golden.File, prefix, variant string, grid [3]int, freqs []string) map[string][]float32 {
	in := load(t, f, prefix, "q", "dout")
	for _, n := range freqs {
		for k, v := range load(t, f, prefix, n) {
			in[k] = v
		}
	}
	return testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
		var r layers.AxialRoPE
		for a := range r.Freqs {
			r.Freqs[a] = in[freqs[min(a, len(freqs)-1)]]
		}
		q := in["q"]
		d := q.Shape().Dimensions
		angles := r.Angles(grid, nil)
		s, p := angles.Shape().Dim(0), angles.Shape().Dim(1)
		y := Reshape(layers.Rotate(Reshape(q, d[0], d[1], s, -1), angles), d...)
		loss := ReduceAllSum(Mul(y, in["dout"]))
		out.Add(variant+".out", y)
		out.Add(variant+".dq", Gradient(loss, q)[0])
		out.Add(variant+".angles", BroadcastToDims(ExpandAxes(angles, -1), s, p, 2))
		for _, n := range freqs {
			out.Add(strings.Replace(n, ".freqs", ".dfreqs", 1), Gradient(loss, in[n])[0])
		}
	})
}

func TestGoldenAxialRoPE(t *testing.T) {
	golden.Every(t, "b_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for i := range c.Items {
			var item struct {
				Grid    [3]int `json:"grid"`
				HeadDim int    `json:"head_dim"`
			}
			c.Item(t, i, &item)
			prefix := fmt.Sprintf("%d.", i)
			base, _ := f.Float32(t, prefix+"base_freqs")
			require.Equal(t, base, layers.RoPEBase(item.HeadDim), "base frequencies are exact")
			got := ropeGolden(t, f, prefix, "fixed", item.Grid, []string{"base_freqs"})
			for k, v := range ropeGolden(t, f, prefix, "shared_learn", item.Grid, []string{"shared_learn.freqs"}) {
				got[k] = v
			}
			per := []string{"per_axis_learn.freqs.0", "per_axis_learn.freqs.1", "per_axis_learn.freqs.2"}
			for k, v := range ropeGolden(t, f, prefix, "per_axis_learn", item.Grid, per) {
				got[k] = v
			}
			inputs := values{"q": nil, "dout": nil, "base_freqs": nil, "shared_learn.freqs": nil}
			for _, n := range per {
				inputs[n] = nil
			}
			compareAll(t, f, prefix, got, inputs, noSkip)
		}
	})
}

// zeroGradient reports the parameters whose gradient is zero by symmetry and
// pure rounding noise in any implementation (SPEC §16): adding a constant to
// all keys shifts every logit of a query equally.
func zeroGradient(name string) bool {
	return strings.HasSuffix(name, "time_mixing.knorm.bias") || name == "grad.knorm.bias" ||
		strings.HasSuffix(name, "k_norm.bias")
}

func TestGoldenParallelAttention(t *testing.T) {
	golden.Every(t, "c_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Heads  int `json:"num_heads"`
			Hidden int `json:"hidden"`
		}
		c.Decode(t, &meta)
		f := c.Open(t)
		w, wp := c.OpenWeights(t)
		for i := range c.Items {
			var item struct {
				Grid [3]int `json:"grid"`
			}
			c.Item(t, i, &item)
			prefix := fmt.Sprintf("%d.", i)
			in := load(t, f, prefix, "x", "dy")
			weightsOf(t, w, wp, in)
			got := testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
				p := layers.ParallelAttention{Channels: meta.Hidden, Heads: meta.Heads}
				d := in["x"].Shape().Dimensions
				x := moveAxis(in["x"], 1, -1)
				y := p.Apply(Reshape(x, d[0], -1, d[1]), p.Weights(varsOf(in)), item.Grid, nil, nil)
				y = moveAxis(Reshape(y, x.Shape().Dimensions...), -1, 1)
				out.Add("y", y)
				gradients(in, y, out)
			})
			compareAll(t, f, prefix, got, in, func(n string) bool {
				return strings.HasPrefix(n, "tap.") || zeroGradient(n)
			})
		}
	})
}

func TestGoldenRelativeBias(t *testing.T) {
	golden.Every(t, "d0_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Tables struct {
				Bidirectional, Causal []int
			} `json:"bucket_tables"`
		}
		c.Decode(t, &meta)
		require.Len(t, meta.Tables.Causal, 129)
		for i := range meta.Tables.Causal {
			require.Equal(t, meta.Tables.Causal[i], layers.RelativeBucket(i-64, true), "causal %d", i-64)
			require.Equal(t, meta.Tables.Bidirectional[i], layers.RelativeBucket(i-64, false), "bidirectional %d", i-64)
		}
		f := c.Open(t)
		for _, name := range f.Names() {
			kind, steps, ok := strings.Cut(name, ".T")
			if !ok {
				continue
			}
			n := 0
			_, err := fmt.Sscan(steps, &n)
			require.NoError(t, err)
			in := load(t, f, "", "weight")
			got := testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
				out.Add("bias", layers.RelativeBias(in["weight"], n, kind == "causal"))
			})
			want, _ := f.Float32(t, name)
			require.Equal(t, want, got["bias"], name)
		}
	})
}

func TestGoldenTimeAttention(t *testing.T) {
	golden.Every(t, "d_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Heads  int `json:"num_heads"`
			Hidden int `json:"hidden"`
		}
		c.Decode(t, &meta)
		f := c.Open(t)
		w, wp := c.OpenWeights(t)
		for i := range c.Items {
			var item struct{ Causal bool }
			c.Item(t, i, &item)
			prefix := fmt.Sprintf("%d.", i)
			in := load(t, f, prefix, "x", "dy")
			weightsOf(t, w, wp, in)
			got := testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
				p := layers.TimeAttention{Channels: meta.Hidden, Heads: meta.Heads, Acausal: !item.Causal}
				y := tokens(in["x"], func(x *Node, _ [3]int) *Node { return p.Apply(x, p.Weights(varsOf(in)), nil) })
				out.Add("y", y)
				gradients(in, y, out)
			})
			compareAll(t, f, prefix, got, in, func(n string) bool {
				return strings.HasPrefix(n, "tap.") || zeroGradient(n)
			})
		}
	})
}

// tokens applies fn to x [T, B, C, H, W, D] as tokens [T, B, S, C].
func tokens(x *Node, fn func(x *Node, grid [3]int) *Node) *Node {
	d := x.Shape().Dimensions
	y := fn(Reshape(moveAxis(x, 2, -1), d[0], d[1], -1, d[2]), [3]int{d[3], d[4], d[5]})
	return moveAxis(Reshape(y, d[0], d[1], d[3], d[4], d[5], d[2]), -1, 2)
}

func TestGoldenBlock(t *testing.T) {
	golden.Every(t, "e_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Heads  int `json:"num_heads"`
			Hidden int `json:"hidden"`
		}
		c.Decode(t, &meta)
		f := c.Open(t)
		w, wp := c.OpenWeights(t)
		for i := range c.Items {
			prefix := fmt.Sprintf("%d.", i)
			in := load(t, f, prefix, "x", "dy")
			weightsOf(t, w, wp, in)
			got := testbackend.RunNamed(t, in, func(in named, out *testbackend.Outputs) {
				b := layers.Block{Time: layers.TimeAttention{Channels: meta.Hidden, Heads: meta.Heads},
					Space: layers.ParallelAttention{Channels: meta.Hidden, Heads: meta.Heads}}
				bw := b.Weights(varsOf(in))
				y := tokens(in["x"], func(x *Node, grid [3]int) *Node { return b.Apply(x, bw, grid, nil, nil, nil) })
				out.Add("tap.after_time", tokens(in["x"], func(x *Node, _ [3]int) *Node { return b.Time.Apply(x, bw.Time, nil) }))
				out.Add("y", y)
				gradients(in, y, out)
			})
			compareAll(t, f, prefix, got, in, zeroGradient)
		}
	})
}
