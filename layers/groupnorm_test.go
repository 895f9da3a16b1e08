package layers

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

// naiveGroupNorm computes GroupNorm of x [F, …, C] in loops.
func naiveGroupNorm(x, weight, bias array, groups int) array {
	c := x.dims[len(x.dims)-1]
	width := c / groups
	flat := x.reshape(x.dims[0], len(x.data)/x.dims[0]/c, c)
	out := newArray(flat.dims...)
	each([]int{flat.dims[0], groups}, func(at []int) {
		n, mean, variance := float64(flat.dims[1]*width), 0.0, 0.0
		channels := func(fn func(s, i int)) {
			each([]int{flat.dims[1], width}, func(j []int) { fn(j[0], at[1]*width+j[1]) })
		}
		channels(func(s, i int) { mean += flat.at(at[0], s, i) / n })
		channels(func(s, i int) { variance += (flat.at(at[0], s, i) - mean) * (flat.at(at[0], s, i) - mean) / n })
		channels(func(s, i int) {
			out.set((flat.at(at[0], s, i)-mean)/math.Sqrt(variance+1e-5)*weight.at(i)+bias.at(i), at[0], s, i)
		})
	})
	return out.reshape(x.dims...)
}

func groupNormGraph(groups int) func(in []*Node) []*Node {
	return func(in []*Node) []*Node { return []*Node{GroupNorm(in[0], in[1], in[2], groups)} }
}

func TestGroupNorm(t *testing.T) {
	var jobs []job
	for _, dims := range [][]int{{1, 9, 6}, {2, 5, 12}, {3, 4, 5, 6}, {2, 3, 1, 4, 6}, {1, 1, 6}} {
		c := dims[len(dims)-1]
		for _, groups := range []int{1, 2, c / 2} {
			name := fmt.Sprintf("%v %d", dims, groups)
			rng := seeded(name)
			x, w, b := normal(rng, dims...), normal(rng, c), normal(rng, c)
			jobs = append(jobs, job{name: name, in: []array{x, w, b}, graph: groupNormGraph(groups),
				want: []array{naiveGroupNorm(x, w, b, groups)}})
		}
	}
	x := normal(seeded("offset"), 2, 8, 6)
	w, b := normal(seeded("w"), 6), normal(seeded("b"), 6)
	moved := newArray(x.dims...)
	for i, v := range x.data {
		moved.data[i] = float64(float32(math.Round(v*1024)/1024 + 512)) // exact in float32
		x.data[i] = moved.data[i] - 512
	}
	jobs = append(jobs, job{name: "a constant has no effect", in: []array{moved, w, b}, graph: groupNormGraph(3),
		check: closeTo(naiveGroupNorm(x, w, b, 3), 1e-4)})
	runJobs(t, jobs...)
}

func TestGroupNormGradients(t *testing.T) {
	rng := seeded("group norm gradients")
	checkGradients(t, gradCase{name: "group norm", keys: []string{"x", "weight", "bias"},
		in:    []array{normal(rng, 2, 3, 2, 6), normal(rng, 6), normal(rng, 6)},
		graph: func(in []*Node) *Node { return GroupNorm(in[0], in[1], in[2], 3) }},
		gradCase{name: "GELU", keys: []string{"x"}, in: []array{normal(rng, 40)}, graph: func(in []*Node) *Node { return GELU(in[0]) }})
}

func TestGroupNormRefuses(t *testing.T) {
	for _, c := range []struct {
		dims   [][]int
		groups int
		text   string
	}{
		{[][]int{{4, 6}, {6}, {6}}, 2, "expected [F, space…, C]"},
		{[][]int{{2, 4, 6}, {6}, {5}}, 2, "expected shape [6]"},
		{[][]int{{2, 4, 6}, {6}, {6}}, 4, "4 groups do not divide 6 channels"},
		{[][]int{{2, 4, 6}, {6}, {6}}, 0, "0 groups"},
	} {
		requireRefused(t, func(in []*Node) *Node { return GroupNorm(in[0], in[1], in[2], c.groups) }, c.dims, c.text)
	}
}
