package layers

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

func TestDropPath(t *testing.T) {
	rng := seeded("drop path")
	x, keep := normal(rng, 3, 2, 4), normal(rng, 3)
	want := newArray(x.dims...)
	each(x.dims, func(i []int) { want.set(x.at(i...)*keep.at(i[0]), i...) })
	ones := newArray(3)
	ones.data = []float64{1, 1, 1}
	drop := func(in []*Node) []*Node { return []*Node{DropPath(in[0], in[1])} }
	runJobs(t,
		job{name: "factors", in: []array{x, keep}, want: []array{want}, graph: drop},
		job{name: "ones", in: []array{x, ones}, graph: drop, check: closeTo(x, 0)},
		job{name: "none", in: []array{x}, check: closeTo(x, 0),
			graph: func(in []*Node) []*Node { return []*Node{DropPath(in[0], nil)} }})
	checkGradients(t, gradCase{name: "drop path", keys: []string{"x", "keep"}, in: []array{x, keep},
		graph: func(in []*Node) *Node { return DropPath(in[0], in[1]) }})
	requireRefused(t, func(in []*Node) *Node { return DropPath(in[0], in[1]) }, [][]int{{3, 2}, {2}},
		"DropPath keep", "expected shape [3]", "got [2]")
}

func TestDropPathRates(t *testing.T) {
	require.Empty(t, DropPathRates(0.05, 0))
	require.Equal(t, []float64{0}, DropPathRates(0.05, 1))
	require.Equal(t, []float64{0, 0.05}, DropPathRates(0.05, 2))
	rates := DropPathRates(0.05, 40)
	require.Len(t, rates, 40)
	require.Zero(t, rates[0])
	require.InDelta(t, 0.05, rates[39], 1e-15)
	for i := 1; i < 40; i++ {
		require.InDelta(t, 0.05/39, rates[i]-rates[i-1], 1e-15)
	}
}

func TestDrawKeep(t *testing.T) {
	for _, p := range []float64{0, 0.05, 0.5, 0.9, 1} {
		const n = 100_000
		keep := make([]float32, n)
		DrawKeep(rand.New(rand.NewPCG(1, 2)), p, keep)
		dropped := 0
		for _, v := range keep {
			if v == 0 {
				dropped++
			} else {
				require.Equal(t, float32(1/(1-p)), v, "rate %v", p)
			}
		}
		// Five standard deviations of a binomial, 0 at rates 0 and 1.
		require.InDelta(t, p, float64(dropped)/n, 5*math.Sqrt(p*(1-p)/n), "rate %v", p)
	}
}

func TestDrawKeepRepeats(t *testing.T) {
	a, b, c := make([]float32, 64), make([]float32, 64), make([]float32, 64)
	DrawKeep(rand.New(rand.NewPCG(3, 4)), 0.5, a)
	DrawKeep(rand.New(rand.NewPCG(3, 4)), 0.5, b)
	DrawKeep(rand.New(rand.NewPCG(3, 5)), 0.5, c)
	require.Equal(t, a, b)
	require.NotEqual(t, a, c)
	// A rate of 0 uses no random numbers.
	rng, fresh := rand.New(rand.NewPCG(6, 7)), rand.New(rand.NewPCG(6, 7))
	DrawKeep(rng, 0, a)
	require.Equal(t, fresh.Uint64(), rng.Uint64())
}
