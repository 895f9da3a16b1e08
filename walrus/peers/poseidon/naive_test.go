package poseidon

import (
	"fmt"
	"math"
	"math/cmplx"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type values = map[string]*tensors.Tensor

// naiveResample is Resample of one channel by sums over complex exponentials.
func naiveResample(x []float64, n, size int) []float64 {
	low, high, out := -(n / 2), (n-1)/2, n+(size-n)/2*2
	if size < n {
		low, high, out = -(size / 2), size/2-1, size/2*2
	}
	wave := func(f, at, n int) complex128 { return cmplx.Exp(complex(0, 2*math.Pi*float64(f*at)/float64(n))) }
	y := make([]float64, out*out)
	for f := low; f <= high; f++ {
		for g := low; g <= high; g++ {
			var sum complex128
			for r := range n {
				for c := range n {
					sum += complex(x[r*n+c]/float64(n*n), 0) * wave(-f, r, n) * wave(-g, c, n)
				}
			}
			for r := range out {
				for c := range out {
					y[r*out+c] += real(sum * wave(f, r, out) * wave(g, c, out))
				}
			}
		}
	}
	return y
}

func TestResample(t *testing.T) {
	for _, tt := range [][2]int{{4, 8}, {8, 4}, {5, 9}, {9, 5}, {6, 9}, {9, 6}, {5, 8}, {8, 8}, {2, 6}, {7, 2}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			n, size := tt[0], tt[1]
			x := testbackend.Normal("resample", 1, 2, n, n)
			got := testbackend.RunNamed(t, values{"x": x}, func(in map[string]*Node, out *testbackend.Outputs) {
				out.Add("y", Resample(in["x"], size))
			})["y"]
			var want []float32
			flat := tensors.MustCopyFlatData[float32](x)
			for c := range 2 {
				channel := make([]float64, n*n)
				for i := range channel {
					channel[i] = float64(flat[c*n*n+i])
				}
				for _, v := range naiveResample(channel, n, size) {
					want = append(want, float32(v))
				}
			}
			golden.CompareL2(t, "y", got, want, 1e-6)
		})
	}
}

// TestResampleBack: what a coarse grid resolves survives refining and coarsening.
func TestResampleBack(t *testing.T) {
	const n = 12
	x := make([]float32, n*n)
	for r := range n {
		for c := range n {
			x[r*n+c] = float32(1 + math.Sin(2*math.Pi*float64(2*r)/n) + math.Cos(2*math.Pi*float64(3*c-r)/n))
		}
	}
	got := testbackend.RunNamed(t, values{"x": testbackend.Tensor(x, 1, 1, n, n)}, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("y", Resample(Resample(in["x"], 32), n))
	})
	golden.CompareL2(t, "y", got["y"], x, 1e-6)
}

// naiveConv convolves x [h, w, in] with kernel(out, in, r, c) of edge length k, zero outside.
func naiveConv(x []float32, h, w, in, out, k int, kernel func(o, i, r, c int) float32) []float32 {
	y := make([]float32, h*w*out)
	for r := range h {
		for c := range w {
			for o := range out {
				sum := 0.0
				for dr := range k {
					for dc := range k {
						at, of := r+dr-k/2, c+dc-k/2
						if at < 0 || of < 0 || at >= h || of >= w {
							continue
						}
						for i := range in {
							sum += float64(x[(at*w+of)*in+i]) * float64(kernel(o, i, dr, dc))
						}
					}
				}
				y[(r*w+c)*out+o] = float32(sum)
			}
		}
	}
	return y
}

func TestConvolutions(t *testing.T) {
	const h, w, d, e = 5, 6, 3, 2
	in := values{"x": testbackend.Normal("x", 1, h, w, d), "full": testbackend.Normal("full", e, d, 3, 3),
		"each": testbackend.Normal("each", d, 1, 7, 7), "bias": testbackend.Tensor(make([]float32, d), d)}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("full", convolve(in["x"], in["full"]))
		out.Add("each", Depthwise(in["x"], in["each"], in["bias"]))
	})
	x, full, each := tensors.MustCopyFlatData[float32](in["x"]), tensors.MustCopyFlatData[float32](in["full"]), tensors.MustCopyFlatData[float32](in["each"])
	golden.CompareL2(t, "full", got["full"], naiveConv(x, h, w, d, e, 3, func(o, i, r, c int) float32 { return full[((o*d+i)*3+r)*3+c] }), 1e-6)
	golden.CompareL2(t, "depthwise", got["each"], naiveConv(x, h, w, d, d, 7, func(o, i, r, c int) float32 {
		if o != i {
			return 0
		}
		return each[(o*7+r)*7+c]
	}), 1e-6)
}

// TestWindows: merging undoes splitting on grids that fit and grids that do not, and with a
// shift the upper left window begins at (shift, shift).
func TestWindows(t *testing.T) {
	for _, tt := range []struct {
		grid [2]int
		w    Windows
	}{
		{[2]int{8, 8}, Windows{4, 0}}, {[2]int{8, 12}, Windows{4, 2}}, {[2]int{5, 3}, Windows{4, 2}}, {[2]int{3, 7}, Windows{2, 1}}, {[2]int{4, 8}, Windows{4, 4}},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			x := testbackend.Normal("windows", 2, tt.grid[0], tt.grid[1], 3)
			var first []float32
			got := testbackend.RunNamed(t, values{"x": x}, func(in map[string]*Node, out *testbackend.Outputs) {
				split := tt.w.Split(in["x"])
				out.Add("back", tt.w.Merge(split, tt.grid))
				out.Add("first", Slice(split, AxisElem(0), AxisElem(0), AxisElem(0)))
			})
			flat := tensors.MustCopyFlatData[float32](x)
			require.Equal(t, flat, got["back"])
			if s := tt.w.Shift; s < tt.grid[0] && s < tt.grid[1] {
				first = flat[(s*tt.grid[1]+s)*3:][:3]
				require.Equal(t, first, got["first"])
			}
		})
	}
}

// small is a network with shifted windows, for tests of the whole.
func small() Config {
	return Config{Grid: [2]int{16, 16}, Patch: 2, InChannels: 2, OutChannels: 2, EmbedDim: 8, Depths: []int{2, 1}, Heads: []int{2, 2},
		Skips: []int{1, 0}, Window: 4, MLPRatio: 2, Conditioned: true, Distance: L1, Groups: []int{0, 1, 2}}
}

// lively returns weights whose norms do not vanish.
func lively(t testing.TB, c Config) *Weights {
	t.Helper()
	w, err := InitWeights(c, 1)
	require.NoError(t, err)
	for _, p := range w.Params() {
		x := tensors.MustCopyFlatData[float32](testbackend.Normal(p.Key, p.Dims...))
		for i := range x {
			x[i] *= 0.3
		}
		require.NoError(t, w.Set(p.Key, testbackend.Tensor(x, p.Dims...)))
	}
	return w
}

// TestForward: samples do not affect each other, the lead time matters for a conditioned
// network only, and the masked values are those of the labels. The second and third sample
// differ in the lead time alone.
func TestForward(t *testing.T) {
	c := small()
	m, err := NewModel(c)
	require.NoError(t, err)
	w := lively(t, c)
	defer w.Close()
	in := values{"x": testbackend.Normal("x", 2, 2, 16, 16), "time": testbackend.Tensor([]float32{0.05, 1, 0.5}, 3), "labels": testbackend.Normal("labels", 3, 2, 16, 16)}
	for _, p := range w.Params() {
		in["w."+p.Key], _ = w.Tensor(p.Key)
	}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		weights, x, lead := m.Weights(vars(in, "w.")), in["x"], in["time"]
		sample := func(x *Node, i int) *Node { return SliceAxis(x, 0, AxisRange(i, i+1)) }
		x = Concatenate([]*Node{x, sample(x, 1)}, 0)
		y := m.Forward(weights, Inputs{X: x, Time: lead})
		out.Add("second", sample(y, 1))
		out.Add("third", sample(y, 2))
		out.Add("alone", m.Forward(weights, Inputs{X: sample(x, 1), Time: sample(lead, 1)}))
		mask := Const(x.Graph(), [][]bool{{true, false}, {false, true}, {false, false}})
		full := BroadcastToDims(Reshape(mask, 3, 2, 1, 1), 3, 2, 16, 16)
		out.Add("where", Where(full, in["labels"], y))
		out.Add("masked", m.Forward(weights, Inputs{X: x, Time: lead, Mask: mask, Labels: in["labels"]}))
		out.Add("masked points", replace(y, full, in["labels"]))
	})
	golden.CompareL2(t, "a sample alone", got["alone"], got["second"], 1e-6)
	assert.NotEqual(t, got["second"], got["third"])
	golden.CompareL2(t, "masked", got["masked"], got["where"], 1e-6)
	golden.CompareL2(t, "masked by points", got["masked points"], got["where"], 0)
}

// TestUnconditioned: without conditioning there is no lead time, and the norms are layer
// norms.
func TestUnconditioned(t *testing.T) {
	c := small()
	c.Conditioned, c.Residual, c.Depths, c.Positions = false, true, []int{1, 1}, true
	w := lively(t, c)
	defer w.Close()
	m, err := NewModel(c)
	require.NoError(t, err)
	for _, p := range m.params() {
		assert.NotContains(t, p.Key, "norm.weight.")
	}
	e := emulate(t, w)
	x := tensors.MustCopyFlatData[float32](testbackend.Normal("x", 1, 2, 16, 16))
	var results [][]float32
	for _, lead := range []float32{0.05, 1} {
		for y, err := range e.RolloutAfter(t.Context(), x, []int{1, 2, 16, 16}, []float32{lead}) {
			require.NoError(t, err)
			results = append(results, y)
		}
	}
	assert.Equal(t, results[0], results[1])
}

func TestForwardErrors(t *testing.T) {
	m, err := NewModel(small())
	require.NoError(t, err)
	w, err := InitWeights(small(), 1)
	require.NoError(t, err)
	defer w.Close()
	run := func(inputs func(x, t *Node) Inputs, dims ...int) error {
		args := []any{testbackend.Normal("x", dims...), testbackend.Tensor([]float32{1}, 1)}
		for _, p := range w.Params() {
			x, _ := w.Tensor(p.Key)
			args = append(args, x)
		}
		_, err := CallOnceN(testbackend.New(t), func(in []*Node) []*Node {
			nodes := map[string]*Node{}
			for i, p := range w.Params() {
				nodes[p.Key] = in[2+i]
			}
			return []*Node{m.Forward(m.Weights(vars(nodes, "")), inputs(in[0], in[1]))}
		}, args...)
		return err
	}
	plain := func(x, t *Node) Inputs { return Inputs{X: x, Time: t} }
	var grid *csm.GridError
	require.ErrorAs(t, run(plain, 1, 2, 16, 18), &grid)
	require.ErrorAs(t, run(plain, 1, 2, 15, 15), &grid)
	assert.ErrorContains(t, run(plain, 1, 3, 16, 16), "expected shape [-1 2 -1 -1]")
	assert.ErrorContains(t, run(plain, 2, 2, 16, 16), "lead time: expected shape [2]")
	assert.ErrorContains(t, run(func(x, _ *Node) Inputs { return Inputs{X: x} }, 1, 2, 16, 16), "lead time: missing")
	assert.ErrorContains(t, run(func(x, t *Node) Inputs { return Inputs{X: x, Time: t, Labels: x} }, 1, 2, 16, 16), "mask: missing")
}
