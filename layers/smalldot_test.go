package layers

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// naivePair computes a·bᵀ for a [G, R, K] and b [G, C, K].
func naivePair(a, b array) array {
	out := newArray(a.dims[0], a.dims[1], b.dims[1])
	each(out.dims, func(i []int) {
		for k := range a.dims[2] {
			out.add(a.at(i[0], i[1], k)*b.at(i[0], i[2], k), i...)
		}
	})
	return out
}

// TestPairDot: widths below, at and above those of the vectors, and products that are not
// small.
func TestPairDot(t *testing.T) {
	rng := seeded("pairDot")
	swapped := func(x *Node) *Node { return TransposeAllDims(x, 0, 2, 1) }
	var jobs []job
	for _, d := range [][3]int{{3, 5, 1}, {4, 3, 7}, {5, 2, 8}, {6, 9, 16}, {7, 16, 17}, {18, 1, 45}, {181, 182, 183}} {
		a, b := normal(rng, 2, d[0], d[1]), normal(rng, 2, d[2], d[1])
		want := naivePair(a, b)
		for _, axes := range [][2]int{{-1, -1}, {-1, -2}, {-2, -1}, {-2, -2}} {
			jobs = append(jobs, job{name: fmt.Sprint(d, axes), in: []array{a, b}, want: []array{want}, graph: func(in []*Node) []*Node {
				a, b := in[0], in[1]
				if axes[0] == -2 {
					a = swapped(a)
				}
				if axes[1] == -2 {
					b = swapped(b)
				}
				return []*Node{form.PairDot(a, axes[0], b, axes[1])}
			}})
		}
	}
	runJobs(t, jobs...)
}

func TestSmallDotGradients(t *testing.T) {
	rng := seeded("small dot gradients")
	checkGradients(t,
		gradCase{name: "lastDot", keys: []string{"x", "weight"}, in: []array{normal(rng, 2, 3, 5), normal(rng, 9, 5)},
			graph: func(in []*Node) *Node { return form.LastDot(in[0], in[1]) }},
		gradCase{name: "softmaxDot", keys: []string{"q", "k", "v"},
			in:    []array{normal(rng, 2, 9, 3), normal(rng, 2, 9, 3), normal(rng, 2, 9, 8)},
			graph: func(in []*Node) *Node { return attend.SoftmaxDot(in[0], in[1], in[2], nil) }},
	)
}
