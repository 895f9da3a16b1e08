package layers

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
)

// naiveSoftmaxDot computes softmax(q·kᵀ + bias)·v for q [R, Sq, K], k [R, S, K], v [R, S,
// V] and a bias [Sq, S] for all rows, or none.
func naiveSoftmaxDot(q, k, v, bias array) array {
	out := newArray(q.dims[0], q.dims[1], v.dims[2])
	weights := make([]float64, k.dims[1])
	for r := range q.dims[0] {
		for i := range q.dims[1] {
			top, total := math.Inf(-1), 0.0
			for j := range weights {
				weights[j] = 0
				if bias.data != nil {
					weights[j] = bias.at(i, j)
				}
				for d := range q.dims[2] {
					weights[j] += q.at(r, i, d) * k.at(r, j, d)
				}
				top = max(top, weights[j])
			}
			for j, w := range weights {
				weights[j] = math.Exp(w - top)
				total += weights[j]
			}
			for j, w := range weights {
				for d := range v.dims[2] {
					out.add(w/total*v.at(r, j, d), r, i, d)
				}
			}
		}
	}
	return out
}

func TestSoftmaxDot(t *testing.T) {
	rng := seeded("softmaxDot")
	q, k, v := normal(rng, 4, 5, 3), normal(rng, 4, 5, 3), normal(rng, 4, 5, 3)
	bias := normal(rng, 5, 5)
	each(bias.dims, func(i []int) {
		if i[1] > i[0] {
			bias.set(float64(float32(Masked)), i...)
		}
	})
	large := q.scaled(1 << 12) // logits in the tens of thousands
	plain := func(in []*Node) []*Node { return []*Node{attend.SoftmaxDot(in[0], in[1], in[2], nil)} }
	runJobs(t,
		job{name: "no bias", in: []array{q, k, v}, want: []array{naiveSoftmaxDot(q, k, v, array{})}, graph: plain},
		job{name: "masked", in: []array{q, k, v, bias}, want: []array{naiveSoftmaxDot(q, k, v, bias)},
			graph: func(in []*Node) []*Node { return []*Node{attend.SoftmaxDot(in[0], in[1], in[2], ExpandAxes(in[3], 0))} }},
		job{name: "two batch axes", in: []array{q.reshape(2, 2, 5, 3), k.reshape(2, 2, 5, 3), v.reshape(2, 2, 5, 3)},
			want: []array{naiveSoftmaxDot(q, k, v, array{}).reshape(2, 2, 5, 3)}, graph: plain},
		job{name: "large logits", in: []array{large, k, v}, graph: plain, tol32: 1e-2,
			want: []array{naiveSoftmaxDot(large, k, v, array{})}})
}

func TestSoftmaxDotGradients(t *testing.T) {
	rng := seeded("softmaxDot gradients")
	checkGradients(t, gradCase{name: "softmaxDot", keys: []string{"q", "k", "v", "bias"},
		in:    []array{normal(rng, 2, 4, 3), normal(rng, 2, 4, 3), normal(rng, 2, 4, 3), normal(rng, 1, 4, 4)},
		graph: func(in []*Node) *Node { return attend.SoftmaxDot(in[0], in[1], in[2], in[3]) }})
}

func TestSplitDense(t *testing.T) {
	rng := seeded("splitDense")
	x := normal(rng, 2, 3, 5)
	in := []array{x}
	var want []array
	for _, n := range []int{4, 1, 7} {
		w, b := normal(rng, n, 5), normal(rng, n)
		in, want = append(in, w, b), append(want, naiveDense(x, w, b))
	}
	runJobs(t, job{name: "three", in: in, want: want, graph: func(in []*Node) []*Node {
		return splitDense(false, in[0], []*Node{in[1], in[3], in[5]}, []*Node{in[2], in[4], in[6]})
	}})
}
