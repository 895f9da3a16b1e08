package layers

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

// TestSoftmaxAttention compares with loops: without a bias, with a bias that frames and
// heads share, and with more keys than queries.
func TestSoftmaxAttention(t *testing.T) {
	rng := seeded("softmax attention")
	const f, n, s, width = 2, 3, 4, 5
	q, bias := normal(rng, f, n, s, width), normal(rng, 1, 1, s, s)
	k, v := normal(rng, f, n, s, width), normal(rng, f, n, s, width)
	more, moreValues := normal(rng, f, n, s+2, width), normal(rng, f, n, s+2, width)
	want := func(k, v, bias array) []array {
		flat := func(x array) array { return x.reshape(f*n, x.dims[2], x.dims[3]) }
		return []array{naiveSoftmaxDot(flat(q), flat(k), flat(v), bias).reshape(f, n, s, width)}
	}
	runJobs(t,
		job{name: "plain", in: []array{q, k, v}, want: want(k, v, array{}),
			graph: func(in []*Node) []*Node { return []*Node{SoftmaxAttention(in[0], in[1], in[2], nil)} }},
		job{name: "bias", in: []array{q, k, v, bias}, want: want(k, v, bias.reshape(s, s)),
			graph: func(in []*Node) []*Node { return []*Node{SoftmaxAttention(in[0], in[1], in[2], in[3])} }},
		job{name: "more keys", in: []array{q, more, moreValues}, want: want(more, moreValues, array{}),
			graph: func(in []*Node) []*Node { return []*Node{SoftmaxAttention(in[0], in[1], in[2], nil)} }})
	requireRefused(t, func(in []*Node) *Node { return SoftmaxAttention(in[0], in[1], in[2], nil) },
		[][]int{{2, 3, 4, 5}, {2, 3, 4, 6}, {2, 3, 4, 5}}, "SoftmaxAttention k", "expected shape [2 3 -1 5]", "got [2 3 4 6]")
}

func TestLayerNorm(t *testing.T) {
	rng := seeded("layer norm")
	x, w, b := normal(rng, 2, 3, 8), normal(rng, 8), normal(rng, 8)
	runJobs(t, job{name: "LayerNorm", in: []array{x, w, b}, want: []array{naiveHeadNorm(x, w, b)},
		graph: func(in []*Node) []*Node { return []*Node{LayerNorm(in[0], in[1], in[2])} }})
}

// TestBucketBias: each pair of positions has the row of the table that the function names.
func TestBucketBias(t *testing.T) {
	const n = 4
	table := normal(seeded("bucket bias"), 2*n-1, 3)
	want := newArray(3, n, n)
	each(want.dims, func(i []int) { want.set(table.at(i[2]-i[1]+n-1, i[0]), i...) })
	runJobs(t, job{name: "BucketBias", in: []array{table}, want: []array{want},
		graph: func(in []*Node) []*Node {
			return []*Node{BucketBias(in[0], n, func(rel int) int { return rel + n - 1 })}
		}})
}
