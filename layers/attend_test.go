package layers

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// attentions are ways to compute softmax attention on XLA that must agree.
func attentions(bias bool) map[string]func(q, k, v, bias *Node) *Node {
	by := func(q, k, v, bias *Node, forward func(q, k, v *Node) (y, logs *Node), back func(attendGiven) []*Node) *Node {
		d := q.Shape().Dimensions
		return perHead(attendBy(q, k, v, bias, headLayout{1, []int{d[0], d[2], d[1], d[3]}, perHead, perHead}, forward, back))
	}
	all := map[string]func(q, k, v, bias *Node) *Node{
		"at once": func(q, k, v, bias *Node) *Node {
			return by(q, k, v, bias, func(q, k, v *Node) (y, logs *Node) { return forwardAtOnce(q, k, v, bias) }, backwardAtOnce)
		},
	}
	if bias {
		return all
	}
	for name, size := range map[string]partSize{"queries by 4": {1, 1, 4}, "queries of two heads by 5, which overlap": {1, 2, 5},
		"whole frames": {1, 4, 12}, "two samples": {2, 2, 6}} {
		all[name] = func(q, k, v, _ *Node) *Node {
			return by(q, k, v, nil, func(q, k, v *Node) (y, logs *Node) { return forwardInParts(q, k, v, size) },
				func(g attendGiven) []*Node { return backwardInParts(g, size) })
		}
	}
	return all
}

// TestAttend: all ways give the result and the gradients that gomlx finds for softmaxDot,
// and so does a pass that recomputes.
func TestAttend(t *testing.T) {
	b := testbackend.New(t)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("the Go backend has one way only")
	}
	run := func(attend func(q, k, v, bias *Node) *Node, heads int, recompute bool) [][]float32 {
		e, err := NewExec(b, func(in []*Node) []*Node {
			x := in[:3]
			if recompute {
				x = []*Node{in[0].Checkpoint(), in[1].Checkpoint(), in[2].Checkpoint()}
			}
			var bias *Node
			if heads > 0 {
				bias = Sin(in[3])
			}
			y := attend(MulScalar(x[0], 2), Sin(x[1]), x[2], bias)
			if recompute {
				y = y.StopCheckpoint()
			}
			return append([]*Node{y}, Gradient(ReduceAllSum(Sin(y)), in...)...)
		})
		require.NoError(t, err)
		defer e.Finalize()
		shape := []int{2, 4, 12, 8}
		out, err := e.Call(seeded32("q", shape), seeded32("k", shape), seeded32("v", shape), seeded32("bias", []int{1, max(heads, 1), 12, 12}))
		require.NoError(t, err)
		var all [][]float32
		for _, x := range out {
			all = append(all, tensors.MustCopyFlatData[float32](x))
		}
		return all
	}
	for _, heads := range []int{0, 1, 4} { // of the bias
		want := run(softmaxDot, heads, false)
		for way, attend := range attentions(heads > 0) {
			for _, recompute := range []bool{false, true} {
				got := run(attend, heads, recompute)
				for i, name := range []string{"result", "gradient of q", "gradient of k", "gradient of v", "gradient of the bias"} {
					scale := 0.0
					for _, x := range want[i] {
						scale = math.Max(scale, math.Abs(float64(x)))
					}
					require.InDeltaSlice(t, want[i], got[i], 1e-6*scale, "%s, %s, %d heads of bias, recompute %v", name, way, heads, recompute)
				}
			}
		}
	}
}

// TestPartsOf: parts divide heads and tokens where there are good divisors.
func TestPartsOf(t *testing.T) {
	require.Equal(t, partSize{1, 1, 1056}, partsOf(1, 4, 1056), "a head of a plane is one part")
	require.Equal(t, partSize{1, 4, 512}, partsOf(1, 4, 512))
	require.Equal(t, partSize{1, 3, 600}, partsOf(1, 6, 600))
	require.Equal(t, partSize{1, 1, 272}, partsOf(1, 4, 4352))
	require.Equal(t, partSize{1, 1, partScores / 4349}, partsOf(1, 4, 4349), "a prime number of tokens")
	require.Equal(t, partSize{1, 1, 16}, partsOf(1, 64, 1<<20), "a part has some queries, however many keys there are")
	require.Equal(t, partSize{2, 1, 528}, partsOf(2, 4, 1056), "samples are taken together")
	require.Equal(t, 6*4*10*10, ScoresAtOnce(1, 6, 4, 10))
	require.Equal(t, 1056*1056, ScoresAtOnce(1, 6, 4, 1056))
}

// TestFusedAttention: in half precision, where a backend has its own operation or not, the
// result is that of float32 to the digits of half precision.
func TestFusedAttention(t *testing.T) {
	b := testbackend.New(t)
	run := func(dtype dtypes.DType) []float32 {
		e, err := NewExec(b, func(in []*Node) *Node {
			for i := range in {
				in[i] = ConvertDType(in[i], dtype)
			}
			return ConvertDType(fusedAttention(in[0], in[1], in[2]), dtypes.Float32)
		})
		require.NoError(t, err)
		defer e.Finalize()
		shape := []int{2, 3, 24, 16}
		out, err := e.Call(seeded32("q", shape), seeded32("k", shape), seeded32("v", shape))
		require.NoError(t, err)
		return tensors.MustCopyFlatData[float32](out[0])
	}
	want := run(dtypes.Float32)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("gomlx's Go backend has no softmax in half precision")
	}
	require.InDeltaSlice(t, want, run(dtypes.BFloat16), 0.03)
}
