package layers

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// layerTol is the largest error of a single layer, relative to the tensor's largest
// magnitude.
const layerTol = 1e-5

type (
	named  = map[string]*Node
	values = map[string]*tensors.Tensor
)

// goldenRun computes all items of a golden case in one graph and compares every tensor in
// the file of the case.
type goldenRun struct {
	t      *testing.T
	f      *golden.File
	inputs values
	builds []func(in named, out *testbackend.Outputs)
	// keep selects, by index, the values of a tensor that are compared. A tensor without an
	// entry is compared completely.
	keep map[string]func(i int) bool
}

func newGoldenRun(t *testing.T, c golden.Case) *goldenRun {
	return &goldenRun{t: t, f: c.Open(t), inputs: values{}, keep: map[string]func(int) bool{}}
}

// goldenItem is an item of a case while its graph is built. Its tensors have the prefix.
type goldenItem struct {
	run    *goldenRun
	prefix string
	in     named
	out    *testbackend.Outputs
}

func (it goldenItem) node(name string) *Node { return it.in[it.prefix+name] }

// add records a result if the file has it; not every item stores every tensor.
func (it goldenItem) add(name string, n *Node) {
	if it.run.f.Has(it.prefix + name) {
		it.out.Add(it.prefix+name, n)
	}
}

// vars returns Vars that finds parameters among the weights loaded by weightsOf.
func (it goldenItem) vars() Vars {
	return VarsFrom(func(key string, _ Init, dims []int) *Node {
		n, ok := it.in["w."+key]
		must(ok, "the golden weights have no %s", key)
		n.AssertDims(dims...)
		return n
	})
}

// item adds an item: the tensors that it reads and the function that builds its graph.
func (r *goldenRun) item(prefix string, inputs []string, build func(it goldenItem)) {
	r.t.Helper()
	for _, name := range inputs {
		v, shape := r.f.Float32(r.t, prefix+name)
		r.inputs[prefix+name] = testbackend.Tensor(v, shape...)
	}
	r.builds = append(r.builds, func(in named, out *testbackend.Outputs) {
		build(goldenItem{run: r, prefix: prefix, in: in, out: out})
	})
}

// weightsOf loads the weights of a case as inputs "w.<key>" and returns their shapes by
// key.
func (r *goldenRun) weightsOf(c golden.Case) map[string][]int {
	r.t.Helper()
	f, prefix := c.OpenWeights(r.t)
	shapes := map[string][]int{}
	for _, name := range f.Names() {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			v, shape := f.Float32(r.t, name)
			r.inputs["w."+key] = testbackend.Tensor(v, shape...)
			shapes[key] = shape
		}
	}
	require.NotEmpty(r.t, shapes, "weights of %s", c.Case)
	return shapes
}

// gradients adds those gradients of sum(y·dy) that the file has: "dx" and
// "grad.<parameter>".
func (it goldenItem) gradients(y *Node) {
	var names []string
	var wrt []*Node
	for _, name := range it.run.f.Names() {
		name, mine := strings.CutPrefix(name, it.prefix)
		key, isGrad := strings.CutPrefix(name, "grad.")
		switch {
		case mine && name == "dx":
			names, wrt = append(names, name), append(wrt, it.node("x"))
		case mine && isGrad && it.in["w."+key] != nil:
			names, wrt = append(names, name), append(wrt, it.in["w."+key])
		}
	}
	for i, g := range Gradient(ReduceAllSum(Mul(y, it.node("dy"))), wrt...) {
		it.add(names[i], g)
	}
}

// compare runs the graph and compares. A tensor of the file that is neither an input nor
// computed fails the test.
func (r *goldenRun) compare() {
	t := r.t
	t.Helper()
	got := testbackend.RunNamed(t, r.inputs, func(in named, out *testbackend.Outputs) {
		for _, build := range r.builds {
			build(in, out)
		}
	})
	for _, name := range r.f.Names() {
		if _, isInput := r.inputs[name]; isInput {
			continue
		}
		have, ok := got[name]
		if !ok {
			t.Errorf("%s: golden tensor that no test computes", name)
			continue
		}
		want, _ := r.f.Float32(t, name)
		if keep := r.keep[name]; keep != nil {
			require.Len(t, have, len(want), name)
			have, want = filter(have, keep), filter(want, keep)
		}
		golden.Compare(t, name, have, want, layerTol)
	}
}

func filter(v []float32, keep func(int) bool) []float32 {
	var out []float32
	for i, x := range v {
		if keep(i) {
			out = append(out, x)
		}
	}
	return out
}

// moveAxis moves one axis of x; negative axes count from the end.
func moveAxis(x *Node, from, to int) *Node {
	from, to = (from+x.Rank())%x.Rank(), (to+x.Rank())%x.Rank()
	var order []int
	for a := range x.Rank() {
		if a != from {
			order = append(order, a)
		}
	}
	order = append(order[:to:to], append([]int{from}, order[to:]...)...)
	return TransposeAllDims(x, order...)
}

func TestGoldenRMSGroupNorm(t *testing.T) {
	golden.Every(t, "a_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		for i := range c.Items {
			r.item(fmt.Sprintf("%d.", i), []string{"x", "weight", "dy"}, func(it goldenItem) {
				x, w := it.node("x"), it.node("weight")
				y := moveAxis(RMSGroupNorm(moveAxis(x, 1, -1), w, NormConfig{}), -1, 1)
				g := Gradient(ReduceAllSum(Mul(y, it.node("dy"))), x, w)
				it.add("y", y)
				it.add("dx", g[0])
				it.add("dweight", g[1])
			})
		}
		r.compare()
	})
}

func TestGoldenAxialRoPE(t *testing.T) {
	golden.Every(t, "b_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		for i := range c.Items {
			var item struct {
				Grid    [3]int `json:"grid"`
				HeadDim int    `json:"head_dim"`
			}
			c.Item(t, i, &item)
			prefix := fmt.Sprintf("%d.", i)
			base, _ := r.f.Float32(t, prefix+"base_freqs")
			require.Equal(t, base, RoPEBase(item.HeadDim), "base frequencies are exact")
			inputs := []string{"q", "dout", "base_freqs"}
			for _, n := range []string{"shared_learn.freqs", "per_axis_learn.freqs.0",
				"per_axis_learn.freqs.1", "per_axis_learn.freqs.2"} {
				if r.f.Has(prefix + n) {
					inputs = append(inputs, n)
				}
			}
			r.item(prefix, inputs, func(it goldenItem) {
				it.rope(item.Grid, "fixed", "base_freqs")
				it.rope(item.Grid, "shared_learn", "shared_learn.freqs")
				it.rope(item.Grid, "per_axis_learn", "per_axis_learn.freqs.0",
					"per_axis_learn.freqs.1", "per_axis_learn.freqs.2")
			})
		}
		r.compare()
	})
}

// rope rotates q [B, N, H, W, D, K] with one frequency tensor for all axes or one for each.
// It skips a variant for which the item has no frequencies.
func (it goldenItem) rope(grid [3]int, variant string, freqs ...string) {
	var e AxialRoPE
	for a := range e.Freqs {
		if e.Freqs[a] = it.node(freqs[min(a, len(freqs)-1)]); e.Freqs[a] == nil {
			return
		}
	}
	q := it.node("q")
	d := q.Shape().Dimensions
	angles := e.Angles(grid, nil)
	s, p := angles.Shape().Dim(0), angles.Shape().Dim(1)
	y := Reshape(Rotate(Reshape(q, d[0], d[1], s, -1), angles), d...)
	loss := ReduceAllSum(Mul(y, it.node("dout")))
	it.add(variant+".out", y)
	it.add(variant+".dq", Gradient(loss, q)[0])
	it.add(variant+".angles", BroadcastToDims(ExpandAxes(angles, -1), s, p, 2))
	for _, n := range freqs {
		it.add(strings.Replace(n, ".freqs", ".dfreqs", 1), Gradient(loss, it.node(n))[0])
	}
}
