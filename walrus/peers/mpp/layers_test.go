package mpp

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shape(dims []int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }

// run runs a graph on standard normal inputs of the given dimensions and returns its result
// and the inputs.
func run(t *testing.T, dims [][]int, build func(in []*Node) *Node) (out []float32, in [][]float32) {
	t.Helper()
	var all []*tensors.Tensor
	for i, d := range dims {
		x := testbackend.Normal(string(rune('a'+i)), d...)
		all, in = append(all, x), append(in, tensors.MustCopyFlatData[float32](x))
	}
	return testbackend.Run(t, func(in []*Node) []*Node { return []*Node{build(in)} }, all...)[0], in
}

func TestWrapped(t *testing.T) {
	for n, want := range map[int][]int{ // of rel = 1−n … n−1
		1: {0}, 2: {-1, 0, 1}, 3: {0, -1, 0, 1, 0}, 4: {1, -2, -1, 0, 1, 2, -1},
		5: {0, 1, -2, -1, 0, 1, 2, -1, 0}, 6: {1, 2, -3, -2, -1, 0, 1, 2, 3, -2, -1},
	} {
		for i, w := range want {
			assert.Equal(t, w, wrapped(i-n+1, n), "%d of %d", i-n+1, n)
		}
	}
	for n := 2; n <= 40; n += 2 { // the shortest way, and n/2 and −n/2 stay
		for rel := 1 - n; rel < n; rel++ {
			got := wrapped(rel, n)
			assert.Zero(t, (got-rel)%n, "%d of %d", rel, n)
			assert.LessOrEqual(t, max(got, -got), n/2)
		}
	}
}

func TestRMSInstanceNorm(t *testing.T) {
	const f, h, w, c = 2, 3, 4, 5
	got, in := run(t, [][]int{{f, h, w, c}, {c}}, func(in []*Node) *Node { return RMSInstanceNorm(in[0], in[1]) })
	want := make([]float32, len(got))
	for frame := range f {
		for channel := range c {
			at := func(p int) int { return (frame*h*w+p)*c + channel }
			mean, variance := 0.0, 0.0
			for p := range h * w {
				mean += float64(in[0][at(p)]) / (h * w)
			}
			for p := range h * w {
				variance += math.Pow(float64(in[0][at(p)])-mean, 2) / (h*w - 1)
			}
			for p := range h * w {
				want[at(p)] = float32(float64(in[0][at(p)]) / (math.Sqrt(variance) + 1e-8) * float64(in[1][channel]))
			}
		}
	}
	golden.CompareL2(t, "y", got, want, 1e-6)
}

// TestUnpatch compares with loops, also for an axis of one position.
func TestUnpatch(t *testing.T) {
	for _, h := range []int{1, 3} {
		const f, w, in, out, k = 2, 2, 3, 4, 2
		got, args := run(t, [][]int{{f, h, w, in}, {in, out, k, k}, {out}}, func(in []*Node) *Node { return unpatch(in[0], in[1], in[2]) })
		want := make([]float32, f*h*k*w*k*out)
		for i := range want { // [f, row, column, o]
			o, column, row, frame := i%out, i/out%(w*k), i/(out*w*k)%(h*k), i/(out*w*k*h*k)
			sum := float64(args[2][o])
			for c := range in {
				x := args[0][((frame*h+row/k)*w+column/k)*in+c]
				sum += float64(x) * float64(args[1][((c*out+o)*k+row%k)*k+column%k])
			}
			want[i] = float32(sum)
		}
		golden.CompareL2(t, "y", got, want, 1e-6)
	}
}

// TestAttendAlong compares with loops over all positions.
func TestAttendAlong(t *testing.T) {
	dims := []int{2, 3, 4, 2, 5} // A, B, C, N, K
	for axis := range 3 {
		n := dims[axis]
		got, in := run(t, [][]int{dims, dims, dims, {1, 2, n, n}}, func(in []*Node) *Node {
			return attendAlong(axis, in[0], in[1], in[2], in[3])
		})
		stride := dims[3] * dims[4]
		for a := 2; a > axis; a-- {
			stride *= dims[a]
		}
		want := make([]float32, len(got))
		for i := range want {
			channel, head := i%dims[4], i/dims[4]%dims[3]
			query := i / stride % n
			var total, sum float64
			for key := range n {
				at := i - channel + (key-query)*stride
				score := float64(in[3][(head*n+query)*n+key])
				for c := range dims[4] {
					score += float64(in[0][i-channel+c]) * float64(in[1][at+c])
				}
				total += math.Exp(score)
				sum += math.Exp(score) * float64(in[2][at+channel])
			}
			want[i] = float32(sum / total)
		}
		golden.CompareL2(t, "y", got, want, 1e-5)
	}
}

// TestEncoderFusion: the mixing of fields and the first convolution together are the two in
// turn.
func TestEncoderFusion(t *testing.T) {
	got, _ := run(t, [][]int{{1, 4, 4, 2}, {3, 5}, {3}, {3, 3, 4, 4}}, func(in []*Node) *Node {
		labels := Const(in[0].Graph(), []int32{4, 1})
		w := EncoderWeights{Fields: in[1], FieldsBias: in[2], Conv: [3]*Node{in[3]}}
		conv := func(x, kernel *Node) *Node {
			return layers.PatchConv(ExpandAxes(x, 3), ExpandAxes(kernel, -1), [3]int{4, 4, 1})
		}
		kernel, bias := w.first(labels)
		matrix, offset := w.mix(labels)
		together := Add(conv(in[0], kernel), ExpandLeftToRank(bias, 5))
		return Sub(together, conv(layers.Dense(in[0], matrix, offset), w.Conv[0]))
	})
	for _, v := range got {
		require.InDelta(t, 0, v, 1e-4)
	}
}

func TestLoss(t *testing.T) {
	dims := []int{2, 3, 4, 5}
	got, in := run(t, [][]int{dims, dims}, func(in []*Node) *Node { return Loss(in[0], in[1]) })
	want := 0.0
	for field := range 6 {
		var e, s float64
		for p := range 20 {
			y, target := float64(in[0][field*20+p]), float64(in[1][field*20+p])
			e += (y - target) * (y - target) / 20
			s += target * target / 20
		}
		want += e / (1e-7 + s) / 6
	}
	require.InEpsilon(t, want, got[0], 1e-6)
}
