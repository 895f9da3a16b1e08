package mpp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGoldenForecasts runs every case of the network A: outputs, intermediate results,
// losses, gradients, rollouts, and the network with more fields.
func TestGoldenForecasts(t *testing.T) {
	golden.Peers.Every(t, "mpp_a_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		switch {
		case c.Case == "mpp_a_weights":
			r.checkWeights(c)
		case c.Case == "mpp_a_rollout":
			r.rollout()
		case strings.HasSuffix(c.Case, "_grads"):
			r.gradients(c)
		default:
			for _, name := range r.f.Names() {
				if r.inputs["w."+name] != nil { // replaces one of the shared weights
					r.weight(r.f, name, name)
				}
			}
			r.forecast()
		}
	})
}

// checkWeights compares the keys, the shapes and the number of parameters.
func (r *goldenRun) checkWeights(c golden.Case) {
	t := r.t
	var count struct {
		N int64 `json:"n_parameters"`
	}
	c.Decode(t, &count)
	assert.Equal(t, count.N, r.config.Parameters())
	params, err := r.config.Params()
	require.NoError(t, err)
	assert.Len(t, params, len(r.f.Names()))
	for _, p := range params {
		assert.Equal(t, c.Tensors[p.Key].Shape, p.Dims, p.Key)
	}
}

// inputs returns the network's inputs.
func (r *goldenRun) netInputs(in named) Inputs {
	return Inputs{X: in["x"], Labels: in["state_labels"], Periodic: r.periodic()}
}

// forecast compares output, statistics, intermediate results and loss.
func (r *goldenRun) forecast() {
	t := r.t
	r.read("x", "state_labels")
	if r.f.Has("target") {
		r.read("target")
	}
	m := r.model()
	got := testbackend.RunNamed(t, r.inputs, func(in named, out *testbackend.Outputs) {
		net := r.netInputs(in)
		w := m.Weights(vars(in, "w."))
		var y *Node
		if len(r.taps()) > 0 {
			y = m.forward(w, net, r.tap(net.X.Shape().Dim(1), out))
		} else {
			y = m.Forward(w, net)
		}
		out.Add("y", y)
		mean, deviation := moments(net.X, 0, 3, 4)
		out.Add("data_mean", mean)
		out.Add("data_std_plus_eps", AddScalar(deviation, FrameEps))
		if target := in["target"]; target != nil {
			out.Add("loss", Loss(y, target))
		}
	})
	r.compareFluctuation("y", got["y"], outputTol)
	for _, name := range []string{"data_mean", "data_std_plus_eps", "loss"} {
		if r.f.Has(name) {
			r.compare(name, got[name], outputTol)
		}
	}
	for _, name := range r.taps() {
		require.NotNil(t, got[name], "%s: golden tensor that no test computes", name)
		r.compare(name, got[name], outputTol)
	}
}

// gradients compares the gradients of the loss of the case with the same name without
// "_grads".
func (r *goldenRun) gradients(c golden.Case) {
	t := r.t
	var lists struct {
		Without []string `json:"parameters_without_grad"`
		Noise   []string `json:"noise_level_grads"`
	}
	c.Decode(t, &lists)
	run := newGoldenRun(t, golden.Peers.Load(t).Case(t, strings.TrimSuffix(c.Case, "_grads")))
	run.read("x", "state_labels", "target")
	m := run.model()
	grads := slices.DeleteFunc(r.f.Names(), func(name string) bool {
		return slices.Contains(lists.Noise, strings.TrimPrefix(name, "grad."))
	})
	got := testbackend.RunNamed(t, run.inputs, func(in named, out *testbackend.Outputs) {
		y := m.Forward(m.Weights(vars(in, "w.")), run.netInputs(in))
		var wrt []*Node
		for _, name := range grads {
			if key, ok := strings.CutPrefix(name, "grad."); ok {
				wrt = append(wrt, in["w."+key])
			} else {
				wrt = append(wrt, in["x"])
			}
		}
		for i, g := range Gradient(Loss(y, in["target"]), wrt...) {
			out.Add(grads[i], g)
		}
	})
	for _, name := range grads {
		r.compare(name, got[name], gradientTol)
	}
	params, err := r.config.Params()
	require.NoError(t, err)
	var without []string
	for _, p := range params {
		if p.Init.Buffer {
			without = append(without, p.Key)
		}
		assert.NotEqual(t, p.Init.Buffer, r.f.Has("grad."+p.Key), p.Key)
	}
	assert.ElementsMatch(t, lists.Without, without)
}

// rollout compares frames that the emulator predicts from earlier predictions.
func (r *goldenRun) rollout() {
	t := r.t
	w, err := InitWeights(r.config, 1)
	require.NoError(t, err)
	defer w.Close()
	for _, p := range w.Params() {
		require.NoError(t, w.Set(p.Key, r.inputs["w."+p.Key]))
	}
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	x, shape := r.f.Float32(t, "x")
	_, frames := r.f.Float32(t, "y")
	var all []float32
	for y, err := range e.Rollout(t.Context(), x, shape, r.system(), frames[0]) {
		require.NoError(t, err)
		all = append(all, y...)
	}
	r.compareFluctuation("y", all, rolloutTol)
}

// TestGoldenContinuousBias runs the network with the continuous bias and two boundary
// conditions.
func TestGoldenContinuousBias(t *testing.T) {
	golden.Peers.Every(t, "mpp_b_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		r.weights(r.f, "w.")
		r.read("x", "state_labels")
		m := r.model()
		got := testbackend.RunNamed(t, r.inputs, func(in named, out *testbackend.Outputs) {
			w := m.Weights(vars(in, "w."))
			net := Inputs{X: in["x"], Labels: in["state_labels"]}
			out.Add("y.bc00", m.Forward(w, net))
			net.Periodic = [2]bool{false, true}
			out.Add("y.bc10", m.Forward(w, net))
		})
		for name, y := range got {
			r.compareFluctuation(name, y, outputTol)
		}
	})
}

// TestGoldenLayers runs the layers alone: both biases, both norms, the mixing of fields, and
// both attentions with their gradients.
func TestGoldenLayers(t *testing.T) {
	golden.Peers.Every(t, "mpp_ops", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		r.read(r.f.Names()...)
		got := testbackend.RunNamed(t, r.inputs, func(in named, out *testbackend.Outputs) {
			r.biases(in, out)
			r.norms(in, out)
			attention := Attention{Channels: 16, Heads: 2}
			r.axial(in, out, SpaceBlock{attention})
			r.time(in, out, TimeBlock{attention})
			w := EncoderWeights{Fields: in["bag.weight"], FieldsBias: in["bag.bias"]}
			matrix, bias := w.mix(in["bag.labels"])
			out.Add("bag.y", layers.Dense(in["bag.x"], matrix, bias))
		})
		noise := []string{"axial.grad.knorm.bias", "time.grad.knorm.bias"} // zero by symmetry
		for _, name := range r.f.Names() {
			switch result := r.result(name); {
			case !result || slices.Contains(noise, name):
			case got[name] == nil:
				t.Errorf("%s: golden tensor that no test computes", name)
			case strings.Contains(name, ".d") || strings.Contains(name, ".grad."):
				r.compare(name, got[name], gradientTol)
			default:
				r.compare(name, got[name], outputTol)
			}
		}
	})
}

// result reports whether a tensor of the case mpp_ops is a result, not an input.
func (r *goldenRun) result(name string) bool {
	group, rest, _ := strings.Cut(name, ".")
	switch {
	case group == "t5" || group == "cpb":
		return strings.HasPrefix(rest, "n")
	case rest == "dy":
		return false
	}
	return rest == "y" || strings.HasPrefix(rest, "d") || strings.HasPrefix(rest, "grad.")
}

// biases adds the positional biases of all lengths and flags in the file.
func (r *goldenRun) biases(in named, out *testbackend.Outputs) {
	cpb := vars(in, "cpb.w.cpb_mlp.")
	weights := map[string]BiasWeights{"t5": {Table: in["t5.weight"]}, "cpb": {
		Hidden: cpb.Var("0.weight", layers.Zero, 512, 1), HiddenBias: cpb.Var("0.bias", layers.Zero, 512),
		Output: cpb.Var("2.weight", layers.Zero, 2, 512)}}
	for _, name := range r.f.Names() {
		group, rest, _ := strings.Cut(name, ".")
		var n, bc int
		if count, _ := fmt.Sscanf(rest, "n%d.bc%d", &n, &bc); count == 2 {
			out.Add(name, weights[group].Bias(n, bc == 1))
		}
	}
}

// norms adds both norms with their gradients.
func (r *goldenRun) norms(in named, out *testbackend.Outputs) {
	add := func(prefix string, y *Node, keys ...string) {
		y = channelsFirst(y)
		out.Add(prefix+"y", y)
		var wrt []*Node
		for _, key := range keys {
			wrt = append(wrt, in[prefix+key])
		}
		for i, g := range Gradient(ReduceAllSum(Mul(y, in["rms.dy"])), wrt...) {
			out.Add(prefix+"d"+keys[i], g)
		}
	}
	add("rms.", RMSInstanceNorm(channelsLast(in["rms.x"]), in["rms.weight"]), "x", "weight")
	add("in.", InstanceNorm(channelsLast(in["in.x"]), NormWeights{in["in.weight"], in["in.bias"]}), "x", "weight", "bias")
}

// blockGradients adds the result of a block and the gradients that the file has.
func (r *goldenRun) blockGradients(in named, out *testbackend.Outputs, prefix string, y *Node) {
	out.Add(prefix+"y", y)
	wrt, names := []*Node{in[prefix+"x"]}, []string{prefix + "dx"}
	for _, name := range r.f.Names() {
		if key, ok := strings.CutPrefix(name, prefix+"grad."); ok {
			wrt, names = append(wrt, in[prefix+"w."+key]), append(names, name)
		}
	}
	for i, g := range Gradient(ReduceAllSum(Mul(y, in[prefix+"dy"])), wrt...) {
		out.Add(names[i], g)
	}
}

// axial adds the attention over space, whose case has the flags [0, 1]: H is periodic.
func (r *goldenRun) axial(in named, out *testbackend.Outputs, p SpaceBlock) {
	y := p.Apply(channelsLast(in["axial.x"]), p.Weights(vars(in, "axial.w.")), [2]bool{true, false}, nil, nil)
	r.blockGradients(in, out, "axial.", channelsFirst(y))
}

// time adds the attention over time.
func (r *goldenRun) time(in named, out *testbackend.Outputs, p TimeBlock) {
	y := p.Apply(layers.SwapFirst(channelsLast(in["time.x"])), p.Weights(vars(in, "time.w.")), nil)
	r.blockGradients(in, out, "time.", channelsFirst(layers.SwapFirst(y)))
}
