package dpot

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// TimeAggregation merges the tokens of T frames into those of one:
//
//	y[j] = Σ_t Σ_i w[t,i,j] · cos(τ[t]·gamma[i]) · x[t,i],  τ = 0, 1/(T−1), …, 1
//
// Without Cosines, which is the original's kind "mlp", the cosines are left out.
type TimeAggregation struct {
	Channels, Steps int
	Cosines         bool
}

// TimeAggregationWeights holds the parameters: W [T, E, E], the middle index of which is
// the input's channel, and the frequencies Gamma [1, E], nil without cosines.
type TimeAggregationWeights struct{ W, Gamma *Node }

// Weights gets the parameters from v. Initially w is normal with the standard deviation
// 1/(T·√E), and gamma is 2⁻¹⁰ to 2¹⁰ with equal ratios.
func (a TimeAggregation) Weights(v layers.Vars) TimeAggregationWeights {
	e, t := a.Channels, a.Steps
	w := TimeAggregationWeights{W: v.Var("w", layers.Init{Normal: 1 / (float64(t) * math.Sqrt(float64(e)))}, t, e, e)}
	if a.Cosines {
		w.Gamma = v.Var("gamma", layers.Init{Values: initialGamma(e)}, 1, e)
	}
	return w
}

// initialGamma returns 2^x for n equidistant x from −10 to 10.
func initialGamma(n int) []float32 {
	out := make([]float32, n)
	for i, x := range linspace(-10, 10, n) {
		out[i] = float32(math.Exp2(float64(x)))
	}
	return out
}

// Apply returns [B, n…, E] for tokens x [B, T, n…, E].
func (a TimeAggregation) Apply(x *Node, w TimeAggregationWeights) *Node {
	assertRank("time aggregation x [B, T, n…, E]", x, -3)
	d := x.Shape().Clone().Dimensions
	e, last := d[len(d)-1], len(d)-1
	check(d[1] == a.Steps && e == a.Channels, "time aggregation: expected %d frames and %d channels, got shape %v", a.Steps, a.Channels, d)
	x = Reshape(x, d[0], d[1], -1, e)
	if a.Cosines {
		// The product is rounded to float32 before the cosine, as in the original: gamma
		// reaches 1024, where the cosine depends on that rounding.
		angles := Mul(Reshape(ConstAs(x, linspace(0, 1, a.Steps)), -1, 1), w.Gamma)
		x = Mul(x, Reshape(Cos(angles), 1, a.Steps, 1, e))
	}
	y := DotGeneral(x, []int{1, 3}, nil, w.W, []int{0, 1}, nil)
	return Reshape(y, append([]int{d[0]}, d[2:last+1]...)...)
}

// linspace returns n equidistant float32 numbers. They are rounded as by torch on CPUs: the
// step is rounded to float32, numbers of the second half are computed from the end, and
// products and sums are fused. A single number is lo.
func linspace(lo, hi float32, n int) []float32 {
	out := make([]float32, n)
	step := float32(0)
	if n > 1 {
		step = (hi - lo) / float32(n-1)
	}
	for i := range out {
		if i < n/2 || n == 1 {
			out[i] = float32(float64(lo) + float64(step)*float64(i))
		} else {
			out[i] = float32(float64(hi) - float64(step)*float64(n-1-i))
		}
	}
	return out
}
