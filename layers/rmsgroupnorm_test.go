package layers

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

// naiveNorm computes RMSGroupNorm of x [F, …, C] in loops; groups 0 is the released form.
func naiveNorm(x, weight array, groups int, eps float64) array {
	c := x.dims[len(x.dims)-1]
	if groups == 0 {
		groups = c
	}
	width := c / groups
	flat := x.reshape(x.dims[0], len(x.data)/x.dims[0]/c, c)
	out := newArray(flat.dims...)
	for f := range flat.dims[0] {
		for g := range groups {
			total := 0.0
			for s := range flat.dims[1] {
				for i := range width {
					v := flat.at(f, s, g*width+i)
					total += v * v
				}
			}
			rms := math.Sqrt(total/float64(flat.dims[1]*width) + eps)
			for s := range flat.dims[1] {
				for i := g * width; i < (g+1)*width; i++ {
					out.set(flat.at(f, s, i)/rms*weight.at(i), f, s, i)
				}
			}
		}
	}
	return out.reshape(x.dims...)
}

func normGraph(cfg NormConfig) func(in []*Node) []*Node {
	return func(in []*Node) []*Node { return []*Node{RMSGroupNorm(in[0], in[1], cfg)} }
}

func TestRMSGroupNorm(t *testing.T) {
	var jobs []job
	for _, dims := range [][]int{{1, 9, 6}, {2, 5, 12}, {3, 4, 5, 6}, {2, 3, 1, 4, 6}, {1, 1, 1, 1, 6}, {2, 1, 4, 3, 88}} {
		c := dims[len(dims)-1]
		for _, cfg := range []NormConfig{{}, {Groups: 2}, {Eps: 0.3},
			{Form: NormGroup, Groups: 1}, {Form: NormGroup, Groups: 2}, {Form: NormGroup, Groups: c}, {Form: NormGroup, Groups: 2, Eps: 0.3}} {
			name := fmt.Sprintf("%v %+v", dims, cfg)
			rng := seeded(name)
			x, w := normal(rng, dims...), normal(rng, c)
			groups, eps := cfg.Groups, cfg.Eps
			if cfg.Form == NormChannel {
				groups = 0
			}
			if eps == 0 {
				eps = 1.1920929e-07 // 2⁻²³
			}
			jobs = append(jobs, job{name: name, in: []array{x, w}, graph: normGraph(cfg),
				want: []array{naiveNorm(x, w, groups, eps)}})
		}
	}
	runSweep(t, jobs...)
}

func TestRMSGroupNormGradients(t *testing.T) {
	var cases []gradCase
	for _, cfg := range []NormConfig{{}, {Form: NormGroup, Groups: 3}} {
		name := fmt.Sprintf("%+v", cfg)
		rng := seeded(name)
		cases = append(cases, gradCase{name: name, keys: []string{"x", "weight"},
			in:    []array{normal(rng, 2, 3, 2, 6), normal(rng, 6)},
			graph: func(in []*Node) *Node { return RMSGroupNorm(in[0], in[1], cfg) }})
	}
	checkGradients(t, cases...)
}

func TestRMSGroupNormProperties(t *testing.T) {
	rng := seeded("properties")
	x, w := normal(rng, 3, 4, 5, 6), normal(rng, 6)
	eps := 1e-12
	channel, group := NormConfig{Eps: eps}, NormConfig{Form: NormGroup, Groups: 3, Eps: eps}
	var jobs []job
	for _, factor := range []float64{1.0 / 64, 0.5, 3, 1024} {
		// Exact in both precisions except for eps, which is 1e-8 of the smallest mean
		// square.
		jobs = append(jobs,
			job{name: fmt.Sprintf("scale %v by channel", factor), in: []array{x.scaled(factor), w}, graph: normGraph(channel),
				check: closeTo(naiveNorm(x, w, 0, 0), 1e-6)},
			job{name: fmt.Sprintf("scale %v by group", factor), in: []array{x.scaled(factor), w}, graph: normGraph(group),
				check: closeTo(naiveNorm(x, w, 3, 0), 1e-6)})
	}
	frames := []int{2, 0, 1}
	jobs = append(jobs,
		job{name: "zero stays zero", in: []array{newArray(2, 3, 4), normal(rng, 4)}, graph: normGraph(NormConfig{}),
			want: []array{newArray(2, 3, 4)}},
		job{name: "frames apart", in: []array{x.permuted(0, frames), w}, graph: normGraph(NormConfig{}),
			want: []array{naiveNorm(x, w, 0, NormEps).permuted(0, frames)}},
		job{name: "one group per channel", in: []array{x, w},
			graph: func(in []*Node) []*Node {
				return []*Node{RMSGroupNorm(in[0], in[1], NormConfig{}),
					RMSGroupNorm(in[0], in[1], NormConfig{Form: NormGroup, Groups: 6})}
			},
			check: func(t *testing.T, got []array) { requireClose(t, got[0], got[1], 1e-6) }})
	runJobs(t, jobs...)
}

// closeTo compares the only output with the given tolerance.
func closeTo(want array, tol float64) func(t *testing.T, got []array) {
	return func(t *testing.T, got []array) {
		require.Len(t, got, 1)
		requireClose(t, want, got[0], tol)
	}
}

func TestRMSGroupNormRefuses(t *testing.T) {
	for _, c := range []struct {
		dims  [][]int
		cfg   NormConfig
		texts []string
	}{
		{[][]int{{4, 6}, {6}}, NormConfig{}, []string{"expected [F, space…, C]", "got shape [4 6]"}},
		{[][]int{{2, 4, 6}, {5}}, NormConfig{}, []string{"expected shape [6]", "got [5]"}},
		{[][]int{{2, 4, 6}, {6}}, NormConfig{Form: NormGroup, Groups: 4}, []string{"4 groups", "6 channels"}},
		{[][]int{{2, 4, 6}, {6}}, NormConfig{Form: NormGroup}, []string{"0 groups", "6 channels"}},
	} {
		requireRefused(t, func(in []*Node) *Node { return RMSGroupNorm(in[0], in[1], c.cfg) }, c.dims, c.texts...)
	}
}
