package attend

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// attentions returns the ways to compute softmax attention on XLA, which must agree.
func attentions(bias bool) map[string]func(q, k, v, bias *Node) *Node {
	by := func(q, k, v, bias *Node, forward func(q, k, v *Node) (y, logs *Node), back func(attendGiven) []*Node) *Node {
		d := q.Shape().Dimensions
		return PerHead(attendBy(q, k, v, bias, Layout{1, []int{d[0], d[2], d[1], d[3]}, PerHead, PerHead}, forward, back))
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

// TestAttend: all ways, with and without recomputation, give the result and the gradients
// that gomlx computes for SoftmaxDot.
func TestAttend(t *testing.T) {
	b := testbackend.New(t)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("the Go backend has one way only")
	}
	run := func(b compute.Backend, attend func(q, k, v, bias *Node) *Node, heads int, recompute bool) [][]float32 {
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
		out, err := e.Call(testbackend.Normal("q", shape...), testbackend.Normal("k", shape...), testbackend.Normal("v", shape...), testbackend.Normal("bias", 1, max(heads, 1), 12, 12))
		require.NoError(t, err)
		var all [][]float32
		for _, x := range out {
			all = append(all, tensors.MustCopyFlatData[float32](x))
		}
		return all
	}
	for _, heads := range []int{0, 1, 4} { // heads of the bias
		want := run(b, SoftmaxDot, heads, false)
		check := func(way string, got [][]float32) {
			for i, name := range []string{"result", "gradient of q", "gradient of k", "gradient of v", "gradient of the bias"} {
				scale := 0.0
				for _, x := range want[i] {
					scale = math.Max(scale, math.Abs(float64(x)))
				}
				require.InDeltaSlice(t, want[i], got[i], 1e-6*scale, "%s, %s, %d heads of bias", name, way, heads)
			}
		}
		cuda := testbackend.AsCUDA(b, "cuda,tf32=false")
		check("formulation for GPUs, SoftmaxDot", run(cuda, SoftmaxDot, heads, false))
		for way, attend := range attentions(heads > 0) {
			for _, recompute := range []bool{false, true} {
				check(fmt.Sprintf("%s, recompute %v", way, recompute), run(b, attend, heads, recompute))
				check(fmt.Sprintf("formulation for GPUs, %s, recompute %v", way, recompute), run(cuda, attend, heads, recompute))
			}
		}
	}
}

// TestPartsOf: parts divide heads and tokens if these have suitable divisors.
func TestPartsOf(t *testing.T) {
	require.Equal(t, partSize{1, 1, 1056}, cpuParts.sizeOf(1, 4, 1056), "a head of a plane is one part")
	require.Equal(t, partSize{1, 4, 512}, cpuParts.sizeOf(1, 4, 512))
	require.Equal(t, partSize{1, 3, 600}, cpuParts.sizeOf(1, 6, 600))
	require.Equal(t, partSize{1, 1, 272}, cpuParts.sizeOf(1, 4, 4352))
	require.Equal(t, partSize{1, 1, cpuParts.part / 4349}, cpuParts.sizeOf(1, 4, 4349), "a prime number of tokens")
	require.Equal(t, partSize{1, 1, 16}, cpuParts.sizeOf(1, 64, 1<<20), "a part has some queries, however many keys there are")
	require.Equal(t, partSize{2, 1, 528}, cpuParts.sizeOf(2, 4, 1056), "samples are taken together")
	require.Equal(t, 6*4*10*10, ScoresAtOnce(1, 6, 4, 10))
	require.Equal(t, 1056*1056, ScoresAtOnce(1, 6, 4, 1056))
}

// TestAttendFused: with factors of half precision, with or without the backend's fused
// operation, result and gradients equal those of float32 to the precision of the factors,
// also for values and gradients outside the range of half precision.
func TestAttendFused(t *testing.T) {
	b := testbackend.New(t)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("the Go backend has one way only")
	}
	const large, small = 1e7, 1e-12
	d := []int{2, 4, 24, 16}
	layout := Layout{1, []int{d[0], d[2], d[1], d[3]}, PerHead, PerHead}
	run := func(recompute bool, attend func(q, k, v *Node) *Node) [][]float32 {
		e, err := NewExec(b, func(in []*Node) []*Node {
			q := in[0]
			if recompute {
				q = q.Checkpoint()
			}
			y := attend(q, in[1], MulScalar(in[2], large))
			if recompute { // a recomputed node that depends on the result
				y = MulScalar(Sin(MulScalar(y.Checkpoint(), 1/large)), large).StopCheckpoint()
			} else {
				y = MulScalar(Sin(MulScalar(y, 1/large)), large)
			}
			return append([]*Node{y}, Gradient(MulScalar(ReduceAllSum(Sin(MulScalar(y, 1/large))), small), in...)...)
		})
		require.NoError(t, err)
		defer e.Finalize()
		out, err := e.Call(testbackend.Normal("q", d...), testbackend.Normal("k", d...), testbackend.Normal("v", d...))
		require.NoError(t, err)
		var all [][]float32
		for _, x := range out {
			all = append(all, tensors.MustCopyFlatData[float32](x))
		}
		return all
	}
	want := run(false, func(q, k, v *Node) *Node { return PerHead(SoftmaxDot(q, k, v, nil)) })
	for dtype, digits := range map[dtypes.DType]float64{dtypes.Float16: 2e-3, dtypes.BFloat16: 2e-2} {
		for _, training := range []bool{false, true} {
			got := run(training, func(q, k, v *Node) *Node { return attendFused(q, k, v, layout, dtype, training) })
			for i, name := range []string{"result", "gradient of q", "gradient of k", "gradient of v"} {
				var difference, norm float64
				for j, x := range want[i] {
					difference += math.Pow(float64(got[i][j]-x), 2)
					norm += math.Pow(float64(x), 2)
				}
				require.Less(t, math.Sqrt(difference/norm), digits, "%s, %s, training %v", dtype, name, training)
			}
		}
	}
}

// TestFusedType: the fused operation is used only if it is as accurate as float32 products.
func TestFusedType(t *testing.T) {
	require.True(t, roundsProducts(withBackend(t, "cuda")))
	require.True(t, roundsProducts(withBackend(t, "cuda,tf32,preallocate")))
	require.False(t, roundsProducts(withBackend(t, "cuda,tf32=false")))
	require.False(t, roundsProducts(withBackend(t, "cuda,preallocate,tf32=0")))
	require.False(t, roundsProducts(withBackend(t, "cuda,notf32")))
	for _, tt := range []struct {
		width, tokens int
		want          dtypes.DType
	}{{88, 1056, dtypes.Float16}, {88, 1057, dtypes.InvalidDType}, {90, 1056, dtypes.InvalidDType}, {136, 64, dtypes.InvalidDType}} {
		g := withBackend(t, "cuda")
		got := fusedType(Parameter(g, "q", shapes.Make(dtypes.Float32, 1, 2, tt.tokens, tt.width)))
		require.Equal(t, tt.want, got, "%+v", tt)
	}
	g := withBackend(t, "cuda,tf32=false")
	require.Equal(t, dtypes.InvalidDType, fusedType(Parameter(g, "q", shapes.Make(dtypes.Float32, 1, 2, 8, 8))))
	require.Equal(t, dtypes.BFloat16, fusedType(Parameter(g, "k", shapes.Make(dtypes.BFloat16, 1, 2, 8, 8))))
	if strings.HasPrefix(testbackend.New(t).Name(), "xla") { // the Go backend does not shard
		mesh, err := distributed.NewDeviceMesh([]int{2}, []string{"data"})
		require.NoError(t, err)
		g = NewGraph(twoDevices{testbackend.New(t)}, "sharded")
		require.NoError(t, g.SetAutoSharding(mesh))
		require.Equal(t, dtypes.InvalidDType, fusedType(Parameter(g, "q", shapes.Make(dtypes.BFloat16, 1, 2, 8, 8))))
	}
	if g = NewGraph(testbackend.New(t), "plain"); !form.OnGPU(g) {
		require.Equal(t, dtypes.InvalidDType, fusedType(Parameter(g, "q", shapes.Make(dtypes.BFloat16, 1, 2, 8, 8))))
	}
}

// twoDevices is a backend that reports to be a CUDA backend with two devices.
type twoDevices struct{ compute.Backend }

func (twoDevices) IsCUDA() bool    { return true }
func (twoDevices) Config() string  { return "cuda" }
func (twoDevices) NumDevices() int { return 2 }

func withBackend(t *testing.T, config string) *Graph {
	return NewGraph(testbackend.AsCUDA(testbackend.New(t), config), "like CUDA")
}

// TestSecondDerivative: a loop and the fused operation refuse to be differentiated twice;
// attention at once can be.
func TestSecondDerivative(t *testing.T) {
	b := testbackend.New(t)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("the Go backend has one way only")
	}
	d := []int{1, 2, 8, 4}
	layout := Layout{1, []int{d[0], d[2], d[1], d[3]}, PerHead, PerHead}
	for want, attend := range map[string]func(q, k, v *Node) *Node{
		"": func(q, k, v *Node) *Node { return Attend(q, k, v, nil, layout) },
		"attention in a loop, which large grids need on XLA, has first derivatives only": func(q, k, v *Node) *Node {
			before := cpuParts
			defer func() { cpuParts = before }()
			cpuParts = partLimits{training: 1, part: 16}
			return Attend(q, k, v, nil, layout)
		},
		"fused attention, which CUDA devices use unless the backend has the option tf32=false, has first derivatives only": func(q, k, v *Node) *Node {
			return attendFused(q, k, v, layout, dtypes.Float16, false)
		},
	} {
		e, err := NewExec(b, func(in []*Node) []*Node {
			dy := in[3]
			first := Gradient(ReduceAllSum(Mul(attend(in[0], in[1], in[2]), dy)), in[:3]...)
			return Gradient(ReduceAllSum(Mul(first[0], in[0])), dy)
		})
		require.NoError(t, err)
		_, err = e.Call(testbackend.Normal("q", d...), testbackend.Normal("k", d...), testbackend.Normal("v", d...), testbackend.Normal("dy", layout.Shape...))
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
		e.Finalize()
	}
}
