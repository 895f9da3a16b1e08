package mpp

import (
	"fmt"
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lively returns weights "w.<key>" under which every layer matters, unlike initial weights.
func lively(t testing.TB, c Config) values {
	t.Helper()
	params, err := c.Params()
	require.NoError(t, err)
	all := values{}
	for _, p := range params {
		x := testbackend.Normal(p.Key, p.Dims...)
		scale, offset := 0.1, 0.0
		switch {
		case strings.Contains(p.Key, "relative_attention_bias"):
			scale = 1
		case len(p.Dims) > 1:
			scale = 1 / math.Sqrt(float64(p.Size()/p.Dims[0]))
		case strings.HasSuffix(p.Key, ".weight"):
			offset = 1
		case strings.Contains(p.Key, "gamma"):
			offset = 0.5
		}
		require.NoError(t, tensors.MutableFlatData(x, func(v []float32) {
			for i := range v {
				v[i] = float32(offset + scale*float64(v[i]))
			}
		}))
		all["w."+p.Key] = x
	}
	return all
}

// small is a network for tests of properties.
func small() Config { return Config{Hidden: 16, Heads: 2, Blocks: 1, States: 5} }

// runSmall runs a graph of a small network on standard normal fields x [T, B, C, H, W].
func runSmall(t *testing.T, c Config, dims []int, build func(m *Model, w ModelWeights, in Inputs, add func(name string, x *Node))) map[string][]float32 {
	t.Helper()
	m, err := NewModel(c)
	require.NoError(t, err)
	inputs := lively(t, c)
	inputs["x"] = testbackend.Normal(fmt.Sprint(dims), dims...)
	return testbackend.RunNamed(t, inputs, func(in named, out *testbackend.Outputs) {
		labels := Const(in["x"].Graph(), []int32{3, 0}[:dims[2]])
		build(m, m.Weights(vars(in, "w.")), Inputs{X: in["x"], Labels: labels}, out.Add)
	})
}

// TestUnits: other units of the input are other units of the forecast.
func TestUnits(t *testing.T) {
	got := runSmall(t, small(), []int{2, 1, 2, 32, 48}, func(m *Model, w ModelWeights, in Inputs, add func(string, *Node)) {
		add("y", AddScalar(MulScalar(m.Forward(w, in), 3), -5))
		in.X = AddScalar(MulScalar(in.X, 3), -5)
		add("in other units", m.Forward(w, in))
	})
	golden.CompareL2(t, "y", got["in other units"], got["y"], 1e-5)
}

// TestSamplesAreIndependent: a sample's forecast is the same alone and in a batch.
func TestSamplesAreIndependent(t *testing.T) {
	got := runSmall(t, small(), []int{3, 2, 2, 48, 32}, func(m *Model, w ModelWeights, in Inputs, add func(string, *Node)) {
		add("batch", SliceAxis(m.Forward(w, in), 0, AxisElem(1)))
		in.X = SliceAxis(in.X, 1, AxisElem(1))
		add("alone", m.Forward(w, in))
	})
	golden.CompareL2(t, "second sample", got["batch"], got["alone"], 1e-5)
}

// TestPeriodicAxes: on a periodic axis with an even number of tokens, a roll of the fields
// by a patch rolls the forecast, if the table has the same bias for half the axis in both
// directions; on other axes it does not.
func TestPeriodicAxes(t *testing.T) {
	dims := []int{2, 1, 1, 64, 64}
	for axis := range 2 {
		roll := func(x *Node) *Node {
			a := x.Rank() - 2 + axis
			return Concatenate([]*Node{SliceAxis(x, a, AxisRange(Patch)), SliceAxis(x, a, AxisRange(0, Patch))}, a)
		}
		got := runSmall(t, small(), dims, func(m *Model, w ModelWeights, in Inputs, add func(string, *Node)) {
			const up, down = 18, 2 // rows of the distances 2 and −2
			for i, block := range w.Space {
				table := block.Bias.Table
				part := func(from, to int) *Node { return SliceAxis(table, 0, AxisRange(from, to)) }
				w.Space[i].Bias.Table = Concatenate([]*Node{part(0, up), part(down, down+1), part(up+1, 32)}, 0)
			}
			for _, periodic := range []bool{true, false}[:2-axis] {
				in := in
				in.Periodic[axis] = periodic
				add(fmt.Sprintf("%v rolled after", periodic), roll(m.Forward(w, in)))
				in.X = roll(in.X)
				add(fmt.Sprintf("%v rolled before", periodic), m.Forward(w, in))
			}
		})
		golden.CompareL2(t, fmt.Sprintf("axis %d", axis), got["true rolled before"], got["true rolled after"], 1e-4)
		if axis == 0 {
			assert.Greater(t, distance(got["false rolled before"], got["false rolled after"]), 0.01)
		}
	}
}

// distance returns the relative L2 distance.
func distance(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += float64(a[i]-b[i]) * float64(a[i]-b[i])
		n += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / n)
}

// TestDropPath: factors of 1 change nothing, factors of 0 leave only the ends of the
// network, and each factor belongs to its block, time step and sample.
func TestDropPath(t *testing.T) {
	c := small()
	c.Blocks = 2
	got := runSmall(t, c, []int{2, 2, 2, 32, 32}, func(m *Model, w ModelWeights, in Inputs, add func(string, *Node)) {
		g := in.X.Graph()
		forward := func(name string, time, attention, mlp *Node) {
			in := in
			in.KeepTime, in.KeepAttention, in.KeepMLP = time, attention, mlp
			add(name, m.Forward(w, in))
		}
		ones := func(last float32) *Node { // 1 but for the last frame of sample 0 in block 1
			return Const(g, [][][]float32{{{1, 1}, {1, 1}}, {{1, 1}, {last, 1}}})
		}
		forward("plain", nil, nil, nil)
		forward("ones", Const(g, [][]float32{{1, 1}, {1, 1}}), ones(1), ones(1))
		zeros := ZerosLike(ones(1))
		forward("zeros", Const(g, [][]float32{{0, 0}, {0, 0}}), zeros, zeros)
		none := w
		none.Space, none.Time = nil, nil
		add("no blocks", m.Forward(none, in))
		forward("sample 0", nil, ones(0), ones(0))
	})
	golden.CompareL2(t, "factors of 1", got["ones"], got["plain"], 1e-6)
	golden.CompareL2(t, "factors of 0", got["zeros"], got["no blocks"], 1e-6)
	assert.Greater(t, distance(got["zeros"], got["plain"]), 0.01)
	half := len(got["plain"]) / 2
	assert.Greater(t, distance(got["sample 0"][:half], got["plain"][:half]), 0.01)
	golden.CompareL2(t, "the other sample", got["sample 0"][half:], got["plain"][half:], 1e-6)
}

// TestForwardRefuses: inputs that do not fit are errors that say so.
func TestForwardRefuses(t *testing.T) {
	for text, dims := range map[string][]int{
		"axis 1 has 40 points":            {1, 1, 2, 32, 40},
		"makes one token":                 {1, 1, 2, 16, 16},
		"input Labels: expected shape [3": {1, 1, 3, 32, 32},
		"input X: expected shape":         {1, 2, 32, 32},
	} {
		m, err := NewModel(small())
		require.NoError(t, err)
		_, err = CallOnceN(testbackend.New(t), func(x *Node) []*Node {
			w := m.Weights(layers.VarsFrom(func(_ string, _ layers.Init, dims []int) *Node { return Ones(x.Graph(), shape(dims)) }))
			return []*Node{m.Forward(w, Inputs{X: x, Labels: Const(x.Graph(), []int32{0, 1})})}
		}, testbackend.Normal("x", dims...))
		require.ErrorContains(t, err, text)
	}
}

// TestScope builds the network with variables in a gomlx scope, whose names are those of
// the state dict. Variables without an effect are not trained.
func TestScope(t *testing.T) {
	if testbackend.New(t).Name() != "Go Backend" {
		t.Skip("names do not depend on the backend, and initialising the variables compiles for long")
	}
	m, err := NewModel(small())
	require.NoError(t, err)
	store := model.NewStore()
	out, err := model.CallOnce(testbackend.New(t), store, func(scope *model.Scope, x *Node) *Node {
		return m.Build(layers.ScopeVars(scope.At("mpp"), x.Graph()), Inputs{X: x, Labels: Const(x.Graph(), []int32{1, 4})})
	}, testbackend.Normal("x", 2, 1, 2, 32, 32))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 32, 32}, out.Shape().Dimensions)
	params, err := small().Params()
	require.NoError(t, err)
	found := map[string]bool{}
	for v := range store.IterVariables() {
		name, ok := strings.CutPrefix(strings.ReplaceAll(strings.TrimPrefix(v.Path(), "/"), "/", "."), "mpp.")
		if ok {
			found[name] = v.Trainable
		}
	}
	for _, p := range params {
		trained, ok := found[p.Key]
		assert.True(t, ok, p.Key)
		assert.Equal(t, !p.Init.Buffer, trained, p.Key)
	}
}

// TestNoPackageMath: on the Go backend, no program computes an exponential or an error
// function of a large tensor, which go through package math number by number.
func TestNoPackageMath(t *testing.T) {
	b := testbackend.New(t)
	if b.Name() != "Go Backend" {
		t.Skip("concerns the Go backend")
	}
	b = testbackend.Watch(b, func(op string, size int) {
		if size > 16 {
			t.Errorf("%s of %d elements", op, size)
		}
	})
	m, err := NewModel(small())
	require.NoError(t, err)
	_, err = CallOnceN(b, func(x *Node) []*Node {
		w := m.Weights(layers.VarsFrom(func(_ string, _ layers.Init, dims []int) *Node { return Ones(x.Graph(), shape(dims)) }))
		y := m.Forward(w, Inputs{X: x, Labels: Const(x.Graph(), []int32{0, 1})})
		return []*Node{Gradient(ReduceAllSum(y), w.Encoder.Conv[0])[0]}
	}, testbackend.Normal("x", 2, 1, 2, 64, 64))
	require.NoError(t, err)
}
