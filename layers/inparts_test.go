package layers

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// TestAttendInParts: queries in parts, also of a size that does not divide them, give
// the result and the gradients of all at once, and so does a pass that recomputes.
func TestAttendInParts(t *testing.T) {
	b := testbackend.New(t)
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("the loop exists on XLA only")
	}
	for _, size := range []int{4, 5, 12} {
		for _, recompute := range []bool{false, true} {
			run := func(attend func(q, k, v *Node) *Node) [][]float32 {
				e, err := NewExec(b, func(in []*Node) []*Node {
					x := in
					if recompute {
						x = []*Node{in[0].Checkpoint(), in[1].Checkpoint(), in[2].Checkpoint()}
					}
					y := attend(MulScalar(x[0], 2), Sin(x[1]), x[2])
					if recompute {
						y = y.StopCheckpoint()
					}
					return append([]*Node{y}, Gradient(ReduceAllSum(Sin(y)), in...)...)
				})
				require.NoError(t, err)
				defer e.Finalize()
				out, err := e.Call(seeded32("q", []int{2, 3, 12, 8}), seeded32("k", []int{2, 3, 12, 8}), seeded32("v", []int{2, 3, 12, 8}))
				require.NoError(t, err)
				var all [][]float32
				for _, x := range out {
					all = append(all, tensors.MustCopyFlatData[float32](x))
				}
				return all
			}
			want := run(func(q, k, v *Node) *Node { return softmaxDot(q, k, v, nil) })
			got := run(func(q, k, v *Node) *Node { return attendInParts(q, k, v, size) })
			for i, name := range []string{"result", "gradient of q", "gradient of k", "gradient of v"} {
				scale := 0.0
				for _, x := range want[i] {
					scale = math.Max(scale, math.Abs(float64(x)))
				}
				require.InDeltaSlice(t, want[i], got[i], 1e-6*scale, "%s, parts of %d, recompute %v", name, size, recompute)
			}
		}
	}
}
