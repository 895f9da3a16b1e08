package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goBackend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := backend.Go()
	require.NoError(t, err)
	return b
}

// inputs are x [F, S, C] and the weights of a layer, in float64.
type inputs struct {
	f, s             int
	layer            LinearAttention
	x, norm, qkv, wo []float64
}

func draw(seed uint64, f, s int, l LinearAttention) inputs {
	rng := rand.New(rand.NewPCG(seed, 5))
	normal := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = rng.NormFloat64()
		}
		return out
	}
	c := l.Channels
	return inputs{f, s, l, normal(f * s * c), normal(c), normal(3 * c * c), normal(c * c)}
}

// graph runs fn on the layer's result and returns all outputs, flattened.
func (in inputs) graph(t *testing.T, fn func(y *Node, params []*Node) []*Node) [][]float64 {
	t.Helper()
	c := in.layer.Channels
	outputs, err := CallOnceN(goBackend(t), func(p []*Node) []*Node {
		w := LinearAttentionWeights{Norm: p[1], QKV: p[2], Out: p[3]}
		return fn(in.layer.Apply(p[0], w), p)
	},
		tensors.FromFlatDataAndDimensions(in.x, in.f, in.s, c), tensors.FromFlatDataAndDimensions(in.norm, c),
		tensors.FromFlatDataAndDimensions(in.qkv, 3*c, c), tensors.FromFlatDataAndDimensions(in.wo, c, c))
	require.NoError(t, err)
	flat := make([][]float64, len(outputs))
	for i, o := range outputs {
		flat[i] = tensors.MustCopyFlatData[float64](o)
	}
	return flat
}

func (in inputs) apply(t *testing.T) []float64 {
	return in.graph(t, func(y *Node, _ []*Node) []*Node { return []*Node{y} })[0]
}

// naive is the formula of LinearAttention in loops. As in ordinary attention it
// computes, for each token, the weight of every other token.
func (in inputs) naive() []float64 {
	c, s, k := in.layer.Channels, in.s, in.layer.Channels/in.layer.Heads
	y := slices.Clone(in.x)
	for f := range in.f {
		x := in.x[f*s*c : (f+1)*s*c]
		qkv := make([]float64, s*3*c)
		for col := range c { // the norm is over the tokens of a frame
			square := 0.0
			for i := range s {
				square += x[i*c+col] * x[i*c+col] / float64(s)
			}
			for i := range s {
				xn := x[i*c+col] / math.Sqrt(square+layers.NormEps) * in.norm[col]
				for row := range 3 * c {
					qkv[i*3*c+row] += xn * in.qkv[row*c+col]
				}
			}
		}
		for i := range s {
			for o, v := range in.naiveHeads(qkv, i, k) {
				for row := range c {
					y[(f*s+i)*c+row] += v * in.wo[row*c+o]
				}
			}
		}
	}
	return y
}

// naiveHeads returns, for every head, the mean of the values v_j weighted by
// φ(q_i)·φ(k_j).
func (in inputs) naiveHeads(qkv []float64, i, k int) []float64 {
	c := in.layer.Channels
	phi := func(a float64) float64 {
		if a > 0 {
			return 1 + a
		}
		return math.Exp(a)
	}
	out := make([]float64, c)
	for head := range in.layer.Heads {
		total := eps
		for j := range in.s {
			weight := 0.0
			for m := head * k; m < (head+1)*k; m++ {
				weight += phi(qkv[i*3*c+m]) * phi(qkv[j*3*c+c+m])
			}
			total += weight
			for m := head * k; m < (head+1)*k; m++ {
				out[m] += weight * qkv[j*3*c+2*c+m]
			}
		}
		for m := head * k; m < (head+1)*k; m++ {
			out[m] /= total
		}
	}
	return out
}

// TestAgainstNaive sweeps frames, tokens, widths and heads.
func TestAgainstNaive(t *testing.T) {
	for _, l := range []LinearAttention{{4, 1}, {6, 2}, {6, 3}, {8, 8}} {
		for _, shape := range [][2]int{{1, 1}, {1, 5}, {3, 4}, {2, 17}} {
			t.Run(fmt.Sprint(l, shape), func(t *testing.T) {
				in := draw(1, shape[0], shape[1], l)
				assert.InDeltaSlice(t, in.naive(), in.apply(t), 1e-10)
			})
		}
	}
}

// TestGradients compares the gradients of all inputs with finite differences, in float64.
func TestGradients(t *testing.T) {
	in := draw(2, 2, 3, LinearAttention{4, 2})
	mix := draw(3, 2, 3, in.layer).x // the weights of a loss that has no zero gradient
	loss := func(y *Node) *Node {
		return ReduceAllSum(Mul(y, ConstTensor(y.Graph(), tensors.FromFlatDataAndDimensions(mix, 2, 3, 4))))
	}
	got := in.graph(t, func(y *Node, p []*Node) []*Node { return Gradient(loss(y), p...) })
	value := func() (sum float64) {
		for i, v := range in.naive() {
			sum += v * mix[i]
		}
		return sum
	}
	for i, values := range [][]float64{in.x, in.norm, in.qkv, in.wo} {
		for j := range values {
			const h = 1e-6
			at := values[j]
			values[j] = at + h
			above := value()
			values[j] = at - h
			below := value()
			values[j] = at
			assert.InDelta(t, (above-below)/(2*h), got[i][j], 1e-6, "input %d, value %d", i, j)
		}
	}
}

// TestPlaces: a permutation of the tokens permutes the result, and frames do not affect
// each other.
func TestPlaces(t *testing.T) {
	const f, s, c = 2, 5, 6
	in := draw(4, f, s, LinearAttention{c, 2})
	y := in.apply(t)
	turned := in
	turned.x = slices.Clone(in.x)
	order := []int{3, 0, 4, 1, 2}
	for i, from := range order { // only in the first frame
		copy(turned.x[i*c:(i+1)*c], in.x[from*c:(from+1)*c])
	}
	z := turned.apply(t)
	for i, from := range order {
		assert.InDeltaSlice(t, y[from*c:(from+1)*c], z[i*c:(i+1)*c], 1e-12)
	}
	assert.InDeltaSlice(t, y[s*c:], z[s*c:], 1e-12)
}

// TestLargeValues: results stay finite where eᵃ would overflow and where all φ are 0.
func TestLargeValues(t *testing.T) {
	in := draw(5, 1, 3, LinearAttention{4, 2})
	for i := range in.qkv {
		in.qkv[i] *= 1e4
	}
	for _, out := range in.graph(t, func(y *Node, p []*Node) []*Node { return append(Gradient(ReduceAllSum(y), p...), y) }) {
		for _, v := range out {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
		}
	}
}

// TestBlock: with either space mixing a fresh block returns almost its input and has
// the parameters that the layers request.
func TestBlock(t *testing.T) {
	theirs, ours := layers.ParallelAttention{Channels: 32, Heads: heads}, LinearAttention{Channels: 32, Heads: heads}
	for name, tt := range map[string]struct {
		space spaceMixing
		keys  []string
	}{
		"released": {func(vars layers.Vars, x *Node) *Node {
			return theirs.Apply(x, theirs.Weights(vars), [3]int{3, 2, 1}, nil, nil)
		}, []string{"norm1/weight", "fused_ff_qkv/weight"}},
		"linear": {func(vars layers.Vars, x *Node) *Node { return ours.Apply(x, ours.Weights(vars)) }, []string{"norm/weight", "qkv/weight", "out/weight"}},
	} {
		t.Run(name, func(t *testing.T) {
			store := model.NewStore()
			x := tensors.FromScalarAndDimensions(float32(0.5), 2, 1, 6, 32)
			out, err := model.CallOnce(goBackend(t), store, func(scope *model.Scope, x *Node) *Node {
				return block(layers.ScopeVars(scope.At("block"), x.Graph()), x, tt.space)
			}, x)
			require.NoError(t, err)
			assert.InDeltaSlice(t, tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](out), 1e-3)
			assert.NotNil(t, store.GetVariable("/block/time_mixing/input_head/weight"))
			for _, key := range tt.keys {
				assert.NotNil(t, store.GetVariable("/block/space_mixing/"+key), key)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	apply := func(l LinearAttention) error {
		_, err := model.CallOnce(goBackend(t), model.NewStore(), func(scope *model.Scope, x *Node) *Node {
			return l.Apply(x, l.Weights(layers.ScopeVars(scope, x.Graph())))
		}, tensors.FromScalarAndDimensions(float32(1), 2, 3, 8))
		return err
	}
	require.NoError(t, apply(LinearAttention{8, 2}))
	require.ErrorContains(t, apply(LinearAttention{8, 3}), "3 heads do not divide 8 channels")
	require.Error(t, apply(LinearAttention{6, 3}))
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(16, &out))
	require.Contains(t, out.String(), " 256 tokens: released ")
}
