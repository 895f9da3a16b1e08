package poseidon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tolerances are relative L2 errors. The original itself differs by 0.8 to 1.9e-6 between
// float32 and float64; rollouts amplify rounding errors.
const (
	valueTol    = 2e-5
	gradientTol = 1e-4
	rolloutTol  = 2e-4
)

// goldenModel returns the network of a case.
func goldenModel(t *testing.T, c golden.Case) *Model {
	t.Helper()
	var meta struct{ Config Config }
	c.Decode(t, &meta)
	m, err := NewModel(meta.Config)
	require.NoError(t, err)
	return m
}

// inputsOf reads tensors of a file as inputs "<name>".
func inputsOf(t *testing.T, f *golden.File, names ...string) map[string]*tensors.Tensor {
	t.Helper()
	in := map[string]*tensors.Tensor{}
	for _, name := range names {
		if !f.Has(name) {
			continue
		}
		v, shape := f.Float32(t, name)
		in[name] = testbackend.Tensor(v, shape...)
	}
	return in
}

// addWeights reads all parameters of a network as inputs "w.<key>". They are in the case's
// own file under that name, or in another one.
func addWeights(t *testing.T, in map[string]*tensors.Tensor, m *Model, c golden.Case) {
	t.Helper()
	f, prefix := c.Open(t), "w."
	if c.Weights != "" {
		f, prefix = c.OpenWeights(t)
	}
	keys := map[string]bool{}
	for _, p := range m.params() {
		v, shape := f.Float32(t, prefix+p.Key)
		require.Equal(t, p.Dims, shape, p.Key)
		in["w."+p.Key] = testbackend.Tensor(v, shape...)
		keys[prefix+p.Key] = true
	}
	for _, name := range f.Names() {
		if strings.HasPrefix(name, prefix) && (prefix != "" || c.Weights != "") && !strings.HasSuffix(name, "num_batches_tracked") {
			require.True(t, keys[name], "the original has %s", name)
		}
	}
}

// vars returns Vars that finds parameters among inputs "<prefix><key>".
func vars(in map[string]*Node, prefix string) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
		n := in[prefix+key]
		must(n != nil, "the golden weights have no %s", key)
		n.AssertDims(dims...)
		return n
	})
}

// TestGoldenModel: output, loss, gradients and intermediate results of whole networks. A
// case of gradients belongs to the case without "_grads".
func TestGoldenModel(t *testing.T) {
	golden.Peers.Every(t, "poseidon_", func(t *testing.T, c golden.Case) {
		switch {
		case strings.HasSuffix(c.Case, "_weights"):
			testWeights(t, c)
		case strings.HasSuffix(c.Case, "_grads"):
			testGradients(t, c)
		case strings.HasSuffix(c.Case, "_rollout"):
			testRollout(t, c)
		case c.Case == "poseidon_ops":
			testOps(t, c)
		case strings.HasSuffix(c.Case, "_rect_adapted"):
			testRectangles(t, c)
		case strings.HasSuffix(c.Case, "_micro_checkpoint"):
			testMicro(t, c)
		default:
			testForward(t, c)
		}
	})
}

// testWeights: the state dict has the network's keys and number of parameters.
func testWeights(t *testing.T, c golden.Case) {
	m := goldenModel(t, c)
	var meta struct {
		N int64 `json:"n_parameters"`
	}
	c.Decode(t, &meta)
	c.Weights = c.File
	addWeights(t, map[string]*tensors.Tensor{}, m, c)
	assert.Equal(t, meta.N, m.Config().Parameters())
}

func testForward(t *testing.T, c golden.Case) {
	m, f := goldenModel(t, c), c.Open(t)
	in := inputsOf(t, f, "x", "time", "labels")
	addWeights(t, in, m, c)
	masks := addMask(t, c, f, in)
	found := map[string]bool{}
	out := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		inputs := Inputs{X: in["x"], Time: in["time"]}
		if masks != "" {
			inputs.Mask, inputs.Labels = NotEqual(in[masks], ZerosLike(in[masks])), in["labels"]
		}
		y := m.forward(m.Weights(vars(in, "w.")), inputs, func(name string, x *Node) {
			if name == "resampled" {
				out.Add(name, x)
				found[name] = f.Has(name)
			}
			for _, key := range []string{"tap." + name, "tap." + name + "_sub"} {
				if f.Has(key) {
					out.Add(key, tapped(x, strings.HasSuffix(key, "_sub"), strings.HasPrefix(name, "recovery")))
					found[key] = true
				}
			}
		})
		out.Add("y", y)
		if f.Has("loss") {
			out.Add("loss", Reshape(m.Config().Loss(y, in["labels"]), 1))
		}
	})
	for _, name := range f.Names() {
		if strings.HasPrefix(name, "tap.") {
			require.True(t, found[name], "the case has %s", name)
		}
	}
	for _, name := range f.Names() {
		if got, ok := out[name]; ok {
			want, _ := f.Float32(t, name)
			golden.CompareL2(t, name, got, want, valueTol)
		}
	}
	require.Contains(t, out, "y")
}

// addMask adds the case's mask, its only tensor of uint8, as float32 and returns its name.
func addMask(t *testing.T, c golden.Case, f *golden.File, in map[string]*tensors.Tensor) string {
	t.Helper()
	for name, tensor := range c.Tensors {
		if tensor.DType == "uint8" {
			bytes, shape := f.Uint8(t, name)
			values := make([]float32, len(bytes))
			for i, b := range bytes {
				values[i] = float32(b)
			}
			in[name] = testbackend.Tensor(values, shape...)
			return name
		}
	}
	return ""
}

// tapped returns an intermediate result as the golden file has it: tokens [B, L, D], or
// every 7th token and 3rd channel of them; frames, or every 5th row and column.
func tapped(x *Node, strided, frame bool) *Node {
	if frame {
		if strided {
			x = every(every(x, 2, 5), 3, 5)
		}
		return x
	}
	x = Reshape(x, x.Shape().Dim(0), -1, x.Shape().Dim(3))
	if strided {
		x = every(every(x, 1, 7), 2, 3)
	}
	return x
}

func every(x *Node, axis, stride int) *Node {
	return SliceAxis(x, axis, AxisRange().Stride(stride))
}

func testGradients(t *testing.T, c golden.Case) {
	model := golden.Peers.Load(t).Case(t, strings.TrimSuffix(c.Case, "_grads"))
	m, f, g := goldenModel(t, c), model.Open(t), c.Open(t)
	in := inputsOf(t, f, "x", "time", "labels")
	addWeights(t, in, m, model)
	out := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		y := m.Forward(m.Weights(vars(in, "w.")), Inputs{X: in["x"], Time: in["time"]})
		names, nodes := []string{}, []*Node{}
		for _, p := range m.params() {
			names, nodes = append(names, "grad."+p.Key), append(nodes, in["w."+p.Key])
		}
		for i, d := range Gradient(m.Config().Loss(y, in["labels"]), append(nodes, in["x"])...) {
			out.Add(append(names, "x")[i], d)
		}
	})
	seen := 0
	for _, name := range g.Names() {
		want, _ := g.Float32(t, name)
		key := name
		if !strings.HasPrefix(name, "grad.") || out[name] == nil {
			key = "x"
		}
		golden.CompareL2(t, name, out[key], want, gradientTol)
		seen++
	}
	require.Equal(t, len(m.params())+1, seen, "gradients of every parameter and of the input")
}

// testRollout runs the emulator with the lead time 0.05. (The original's float32 rollout is
// 1.9e-4 from the same rollout in float64; this one is 5e-5 from it.)
func testRollout(t *testing.T, c golden.Case) {
	w, _, err := LoadAs(golden.Peers.Path(t, c.Weights), goldenModel(t, c).Config(), walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	f, e := c.Open(t), emulate(t, w)
	x, shape := f.Float32(t, "x")
	want, frames := f.Float32(t, "y") // [B, steps, C, H, W]
	require.Equal(t, []int{1, shape[1], shape[2], shape[3]}, slices.Delete(frames, 1, 2), "a batch of one, so that steps follow each other")
	var got []float32
	for y, err := range e.Rollout(t.Context(), x, shape, len(want)/len(x)) {
		require.NoError(t, err)
		got = append(got, y...)
	}
	golden.CompareL2(t, "y", got, want, rolloutTol)
}

// testRectangles runs one network on several grids.
func testRectangles(t *testing.T, c golden.Case) {
	f := c.Open(t)
	ran := 0
	for _, name := range f.Names() {
		size, ok := strings.CutPrefix(name, "y.")
		if !ok {
			continue
		}
		ran++
		config := goldenModel(t, c).Config()
		_, err := fmt.Sscanf(size, "%dx%d", &config.Grid[0], &config.Grid[1])
		require.NoError(t, err)
		m, err := NewModel(config)
		require.NoError(t, err)
		in := inputsOf(t, f, "x."+size, "time")
		addWeights(t, in, m, c)
		out := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
			out.Add("y", m.Forward(m.Weights(vars(in, "w.")), Inputs{X: in["x."+size], Time: in["time"]}))
		})
		want, _ := f.Float32(t, name)
		golden.CompareL2(t, name, out["y"], want, valueTol)
	}
	require.Positive(t, ran, "outputs y.HxW")
}
