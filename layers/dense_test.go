package layers

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

// naiveDense computes x·weightᵀ + bias over the last axis in loops, without bias if it is
// empty.
func naiveDense(x, weight, bias array) array {
	in, outs := weight.dims[1], weight.dims[0]
	rows := len(x.data) / in
	out := newArray(append(append([]int(nil), x.dims[:len(x.dims)-1]...), outs)...)
	for r := range rows {
		for o := range outs {
			total := 0.0
			if bias.data != nil {
				total = bias.data[o]
			}
			for i := range in {
				total += x.data[r*in+i] * weight.data[o*in+i]
			}
			out.data[r*outs+o] = total
		}
	}
	return out
}

// naiveHeadNorm computes the LayerNorm over the last axis.
func naiveHeadNorm(x, weight, bias array) array {
	k := x.dims[len(x.dims)-1]
	out := newArray(x.dims...)
	for at := 0; at < len(x.data); at += k {
		mean, variance := 0.0, 0.0
		for _, v := range x.data[at : at+k] {
			mean += v / float64(k)
		}
		for _, v := range x.data[at : at+k] {
			variance += (v - mean) * (v - mean) / float64(k)
		}
		for i, v := range x.data[at : at+k] {
			out.data[at+i] = (v-mean)/math.Sqrt(variance+1e-5)*weight.data[i] + bias.data[i]
		}
	}
	return out
}

func naiveSiLU(x float64) float64 { return x / (1 + math.Exp(-x)) }

// naiveSwiGLU computes SwiGLU with values in the first half of the last axis and gates in
// the second.
func naiveSwiGLU(x array) array {
	last := len(x.dims) - 1
	half := x.dims[last] / 2
	out := newArray(append(append([]int(nil), x.dims[:last]...), half)...)
	for r := range len(x.data) / (2 * half) {
		for i := range half {
			out.data[r*half+i] = x.data[2*r*half+i] * naiveSiLU(x.data[2*r*half+half+i])
		}
	}
	return out
}

func TestDense(t *testing.T) {
	var jobs []job
	for _, dims := range [][]int{{3}, {4, 1}, {2, 3, 5}, {2, 1, 3, 4}} {
		for _, outs := range []int{1, 3, 7} {
			name := fmt.Sprintf("%v to %d", dims, outs)
			rng := seeded(name)
			x, w, b := normal(rng, dims...), normal(rng, outs, dims[len(dims)-1]), normal(rng, outs)
			jobs = append(jobs, job{name: name, in: []array{x, w, b},
				graph: func(in []*Node) []*Node {
					return []*Node{Dense(in[0], in[1], in[2]), Dense(in[0], in[1], nil)}
				},
				want: []array{naiveDense(x, w, b), naiveDense(x, w, array{})}})
		}
	}
	runJobs(t, jobs...)
}

func TestActivations(t *testing.T) {
	rng := seeded("activations")
	x := normal(rng, 3, 8).scaled(4)
	silu, gelu := newArray(3, 8), newArray(3, 8)
	for i, v := range x.data {
		silu.data[i] = naiveSiLU(v)
		gelu.data[i] = v / 2 * (1 + math.Erf(v/math.Sqrt2))
	}
	runJobs(t,
		job{name: "SiLU", in: []array{x}, want: []array{silu},
			graph: func(in []*Node) []*Node { return []*Node{SiLU(in[0])} }},
		job{name: "GELU", in: []array{x}, want: []array{gelu},
			graph: func(in []*Node) []*Node { return []*Node{GELU(in[0])} }},
		job{name: "SwiGLU", in: []array{x, x.reshape(2, 3, 4)}, want: []array{naiveSwiGLU(x), naiveSwiGLU(x.reshape(2, 3, 4))},
			graph: func(in []*Node) []*Node { return []*Node{SwiGLU(in[0]), SwiGLU(in[1])} }})
}

func TestHeadNorm(t *testing.T) {
	var jobs []job
	for _, dims := range [][]int{{5, 8}, {2, 3, 88}, {2, 3, 2, 16}, {1, 1, 1, 1, 3}} {
		name := fmt.Sprint(dims)
		rng := seeded(name)
		k := dims[len(dims)-1]
		x, w, b := normal(rng, dims...), normal(rng, k), normal(rng, k)
		jobs = append(jobs, job{name: name, in: []array{x, w, b}, want: []array{naiveHeadNorm(x, w, b)},
			graph: func(in []*Node) []*Node { return []*Node{headNorm(in[0], in[1], in[2])} }})
	}
	runJobs(t, jobs...)
}

func TestDenseGradients(t *testing.T) {
	rng := seeded("dense gradients")
	checkGradients(t,
		gradCase{name: "Dense", keys: []string{"x", "weight", "bias"},
			in:    []array{normal(rng, 2, 3, 5), normal(rng, 4, 5), normal(rng, 4)},
			graph: func(in []*Node) *Node { return Dense(in[0], in[1], in[2]) }},
		gradCase{name: "headNorm", keys: []string{"x", "weight", "bias"},
			in:    []array{normal(rng, 2, 3, 5), normal(rng, 5), normal(rng, 5)},
			graph: func(in []*Node) *Node { return headNorm(in[0], in[1], in[2]) }},
		gradCase{name: "SwiGLU", keys: []string{"x"}, in: []array{normal(rng, 2, 3, 8)},
			graph: func(in []*Node) *Node { return SwiGLU(in[0]) }})
}

func TestDenseRefuses(t *testing.T) {
	dense := func(in []*Node) *Node { return Dense(in[0], in[1], in[2]) }
	requireRefused(t, dense, [][]int{{2, 5}, {3, 4}, {3}}, "Dense weight", "expected shape [-1 5]", "got [3 4]")
	requireRefused(t, dense, [][]int{{2, 5}, {3, 5}, {4}}, "Dense bias", "expected shape [3]", "got [4]")
	norm := func(in []*Node) *Node { return headNorm(in[0], in[1], in[2]) }
	requireRefused(t, norm, [][]int{{2, 5}, {4}, {5}}, "head norm weight", "expected shape [5]", "got [4]")
	requireRefused(t, norm, [][]int{{2, 5}, {5}, {4}}, "head norm bias", "expected shape [5]", "got [4]")
	requireRefused(t, func(in []*Node) *Node { return SwiGLU(in[0]) }, [][]int{{2, 5}}, "expected an even last axis", "got 5")
}
