package walrus_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// pass is a network on one grid with inputs "x" [3, 2, 2, grid], "ids",
// "shift" and "rolls".
type pass struct {
	model *walrus.Model
	plan  *csm.Plan
	in    map[string]*tensors.Tensor
}

const passSteps, passBatch, passFields = 3, 2, 2

func newPass(t *testing.T, c walrus.Config, grid []int, bcs data.Boundaries, d draws) pass {
	t.Helper()
	m, err := walrus.NewModel(c)
	require.NoError(t, err)
	plan, err := m.Plan(grid, bcs)
	require.NoError(t, err)
	p := pass{m, plan, graphWeights(t, livelyWeights(t, c))}
	g := plan.Grid()
	dims := []int{passSteps, passBatch, passFields, g[0], g[1], g[2]}
	p.in["x"] = testbackend.Tensor(noiseOf(3, passSteps*passBatch*passFields*g[0]*g[1]*g[2]), dims...)
	p.in["ids"] = testbackend.Tensor([]int32{3, 8}, 2)
	d.add(t, plan, p.in)
	return p
}

// inputs returns the inputs of the pass with another x.
func inputs(in map[string]*Node, x *Node) walrus.Inputs {
	return walrus.Inputs{X: x, IDs: in["ids"], Shift: in["shift"], Rolls: in["rolls"]}
}

// turn rolls values along an axis, like torch.roll.
func turn(x *Node, axis, by int) *Node {
	n := x.Shape().Dim(axis)
	by = ((by % n) + n) % n
	if by == 0 {
		return x
	}
	return Concatenate([]*Node{SliceAxis(x, axis, AxisRange(n-by)), SliceAxis(x, axis, AxisRange(0, n-by))}, axis)
}

// literalForward is the forward pass in the release's order of operations
// (docs/reference.md §2): tokens are rolled before each block and rolled back at the end.
func literalForward(p pass, in map[string]*Node, d draws) *Node {
	c := p.model.Config()
	w := p.model.Weights(varsOf(in))
	hmlp := csm.HMLP{States: c.States(), Inner: c.Intermediate, Hidden: c.Hidden, Kernel: c.Kernel}
	time := layers.TimeAttention{Channels: c.Hidden, Heads: c.Heads}
	space := layers.ParallelAttention{Channels: c.Hidden, Heads: c.Heads, MLP: c.MLPWidth()}
	jit := p.model.Jitterer(p.plan)
	grid := p.plan.TokenGrid()
	x := Mul(in["x"], Reshape(w.FieldScale))
	all := Concatenate([]*Node{in["ids"], Const(x.Graph(), []int32{2, 0, 1})}, 0)
	y := hmlp.Encode(jit.Apply(x, in["shift"]), w.Embed[p.plan.Dims], all, nil, p.plan)
	frames, tokens := y.Shape().Dim(0), p.plan.Tokens()
	roll := func(y *Node, r [3]int32, sign int) *Node {
		for a, by := range r {
			y = turn(y, 1+a, sign*int(by))
		}
		return y
	}
	var total [3]int32
	for i, b := range w.Blocks {
		y = roll(y, d.rolls[i], 1)
		for a, by := range d.rolls[i] {
			total[a] += by
		}
		y = time.Apply(Reshape(y, passSteps, passBatch, tokens, c.Hidden), b.Time, nil)
		y = space.Apply(Reshape(y, frames, tokens, c.Hidden), b.Space, grid, nil, nil)
		y = Reshape(y, frames, grid[0], grid[1], grid[2], c.Hidden)
	}
	y = roll(y, total, -1)
	return jit.Invert(hmlp.Decode(y, w.Debed[p.plan.Dims], in["ids"], p.plan), in["shift"], passSteps, passBatch)
}

// TestLatentRollsLiteral checks that shifting the table of positions is the
// same function as rolling the tokens.
func TestLatentRollsLiteral(t *testing.T) {
	for _, c := range []struct {
		name string
		grid []int
		bcs  data.Boundaries
		d    draws
	}{
		{"both axes", []int{16, 24}, data.Boundaries{periodic, periodic}, draws{[3]int32{3, -5, 0}, [][3]int32{{1, 3, 0}, {2, 2, 0}}}},
		{"one axis", []int{20, 16}, data.Boundaries{walled, periodic}, draws{[3]int32{-2, 7, 0}, [][3]int32{{0, 3, 0}, {0, 1, 0}}}},
		{"space", []int{8, 8, 16}, data.Boundaries{periodic, walled, periodic}, draws{[3]int32{}, [][3]int32{{1, 0, 0}, {1, 0, 1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPass(t, smallConfig(), c.grid, c.bcs, c.d)
			got := testbackend.RunNamed(t, p.in, func(in map[string]*Node, out *testbackend.Outputs) {
				w := p.model.Weights(varsOf(in))
				out.Add("literal", literalForward(p, in, c.d))
				out.Add("ours", p.model.Forward(w, inputs(in, in["x"]), p.plan))
				still := inputs(in, in["x"])
				still.Rolls = nil
				out.Add("still", p.model.Forward(w, still, p.plan))
			})
			requireNear(t, got["literal"], got["ours"], 1e-5, "output")
			require.NotEqual(t, got["still"], got["ours"], "the rolls must matter for this to say anything")
		})
	}
}

var someDraws = draws{[3]int32{2, 3, 0}, [][3]int32{{0, 1, 0}, {0, 2, 0}}}

// TestForwardTime: a later frame changes no earlier output, LastOnly returns the last of
// all outputs, and the samples of a batch do not affect each other.
func TestForwardTime(t *testing.T) {
	p := newPass(t, smallConfig(), []int{20, 16}, data.Boundaries{walled, periodic}, someDraws)
	got := testbackend.RunNamed(t, p.in, func(in map[string]*Node, out *testbackend.Outputs) {
		w, x := p.model.Weights(varsOf(in)), in["x"]
		run := func(name string, x *Node, last bool) *Node {
			i := inputs(in, x)
			i.LastOnly = last
			y := p.model.Forward(w, i, p.plan)
			out.Add(name, y)
			return y
		}
		sample := func(x *Node, b int) *Node { return SliceAxis(x, 1, AxisRange(b, b+1)) }
		all := run("all", x, false)
		out.Add("past", SliceAxis(all, 0, AxisRange(0, 2)))
		out.Add("final", SliceAxis(all, 0, AxisRange(2)))
		out.Add("swapped", Concatenate([]*Node{sample(all, 1), sample(all, 0)}, 1))
		out.Add("second", sample(all, 1))
		changed := Concatenate([]*Node{SliceAxis(x, 0, AxisRange(0, 2)), MulScalar(SliceAxis(x, 0, AxisRange(2)), -3)}, 0)
		later := run("later", changed, false)
		out.Add("laterPast", SliceAxis(later, 0, AxisRange(0, 2)))
		out.Add("laterFinal", SliceAxis(later, 0, AxisRange(2)))
		run("last", x, true)
		run("ofSwapped", Concatenate([]*Node{sample(x, 1), sample(x, 0)}, 1), false)
		run("alone", sample(x, 1), false)
		run("short", SliceAxis(x, 0, AxisRange(0, 2)), false)
	})
	requireNear(t, got["past"], got["laterPast"], 1e-6, "outputs before the changed frame")
	require.NotEqual(t, got["final"], got["laterFinal"], "the changed frame itself matters")
	requireNear(t, got["past"], got["short"], 1e-6, "outputs of a shorter history")
	requireNear(t, got["final"], got["last"], 1e-6, "last step alone")
	requireNear(t, got["swapped"], got["ofSwapped"], 1e-6, "samples swapped")
	requireNear(t, got["second"], got["alone"], 1e-6, "a sample alone")
}

// TestAcausal: a network that is not causal returns only the last output.
func TestAcausal(t *testing.T) {
	c := smallConfig()
	c.Causal = false
	p := newPass(t, c, []int{16, 16}, data.Boundaries{periodic, periodic}, draws{rolls: make([][3]int32, 2)})
	got := testbackend.RunNamed(t, p.in, func(in map[string]*Node, out *testbackend.Outputs) {
		y := p.model.Forward(p.model.Weights(varsOf(in)), inputs(in, in["x"]), p.plan)
		y.AssertDims(1, passBatch, passFields, 16, 16, 1)
		out.Add("y", y)
	})
	require.Len(t, got["y"], passBatch*passFields*16*16)
}

// TestPeriodicJitter: on a periodic grid a jitter of s is the same as rolling
// the input by s and the output back, for any stride: the shift comes before
// the padding.
func TestPeriodicJitter(t *testing.T) {
	d := draws{[3]int32{5, -7, 0}, [][3]int32{{1, 1, 0}, {0, 3, 0}}}
	p := newPass(t, smallConfig(), []int{16, 24}, data.Boundaries{periodic, periodic}, d)
	got := testbackend.RunNamed(t, p.in, func(in map[string]*Node, out *testbackend.Outputs) {
		w, x := p.model.Weights(varsOf(in)), in["x"]
		out.Add("jittered", p.model.Forward(w, inputs(in, x), p.plan))
		rolled := inputs(in, turn(turn(x, 3, 5), 4, -7))
		rolled.Shift = nil
		out.Add("rolled", turn(turn(p.model.Forward(w, rolled, p.plan), 3, -5), 4, 7))
	})
	requireNear(t, got["jittered"], got["rolled"], 1e-6, "output")
}

// TestPeriodicShift: if kernels equal strides, shifting a periodic field by whole patches
// shifts the output, provided that the latent rolls shift the positions back. With
// overlapping patches this holds only approximately, as in the release, because the norms
// average the overlap of the two ends twice.
func TestPeriodicShift(t *testing.T) {
	c := smallConfig()
	c.Kernel = [2]int{2, 2}
	d := draws{rolls: [][3]int32{{1, 2, 0}, {3, 0, 0}}}
	p := newPass(t, c, []int{16, 16}, data.Boundaries{periodic, periodic}, d)
	require.Equal(t, p.plan.Grid(), p.plan.PaddedGrid(), "nothing to pad")
	back := draws{rolls: [][3]int32{{0, 0, 0}, {3, 0, 0}}} // one and two tokens back
	moved := map[string]*tensors.Tensor{}
	back.add(t, p.plan, moved)
	p.in["back"] = moved["rolls"]
	got := testbackend.RunNamed(t, p.in, func(in map[string]*Node, out *testbackend.Outputs) {
		w, x := p.model.Weights(varsOf(in)), in["x"]
		move := func(x *Node) *Node { return turn(turn(x, 3, 4), 4, 8) }
		out.Add("output moved", move(p.model.Forward(w, inputs(in, x), p.plan)))
		i := inputs(in, move(x))
		out.Add("rolls kept", p.model.Forward(w, i, p.plan))
		i.Rolls = in["back"]
		out.Add("input moved", p.model.Forward(w, i, p.plan))
	})
	requireNear(t, got["output moved"], got["input moved"], 1e-5, "output")
	worst := 0.0
	for i, v := range got["output moved"] {
		worst = max(worst, float64(v-got["rolls kept"][i]))
	}
	require.Greater(t, worst, 1e-3, "positions are not periodic by themselves")
}

func TestModelPlanErrors(t *testing.T) {
	m, err := walrus.NewModel(smallConfig())
	require.NoError(t, err)
	for _, c := range []struct {
		grid []int
		bcs  data.Boundaries
		want string
	}{
		{[]int{7, 16}, data.Boundaries{walled, walled}, "walrus: csm: axis 0 has 7 points: expected 1 or at least 8"},
		{[]int{16, 16}, data.Boundaries{walled}, "expected one per axis (2), got 1"},
		{[]int{1, 1}, data.Boundaries{walled, walled}, "expected at least one axis longer than 1"},
		{nil, nil, "expected 1 to 3 axes, got 0"},
	} {
		_, err := m.Plan(c.grid, c.bcs)
		require.ErrorContains(t, err, c.want)
	}
	c := smallConfig()
	c.Dims = []int{3}
	m, err = walrus.NewModel(c)
	require.NoError(t, err)
	plan, err := m.Plan([]int{16, 16}, data.Boundaries{walled, walled})
	require.NoError(t, err, "the encoder of space serves a plane")
	params, err := m.ParamsFor(plan)
	require.NoError(t, err)
	for _, p := range params {
		assert.NotContains(t, p.Key, "bed.2.")
	}
	c = smallConfig()
	c.APE = []int{4, 4, 1}
	m, err = walrus.NewModel(c)
	require.NoError(t, err)
	_, err = m.Plan([]int{16, 16}, data.Boundaries{walled, walled})
	require.ErrorAs(t, err, new(*csm.GridError))
	require.EqualError(t, err, "walrus: the absolute position embedding has the token grid [4 4 1], the input [5 5 1]")
}

// TestOneToken: a periodic axis with a single token is an error.
func TestOneToken(t *testing.T) {
	c := smallConfig()
	c.Tokens = [3]int{1, 1, 1}
	m, err := walrus.NewModel(c)
	require.NoError(t, err)
	_, err = m.Plan([]int{16, 64}, data.Boundaries{periodic, walled})
	require.EqualError(t, err, "walrus: axis 0 has 16 points, which make one token: expected at least two (use more points, or a network with a larger token target)")
}
