package mpp

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// BiasWeights holds the parameters of the positional bias of one attention. Those of the
// other kind of bias are nil.
type BiasWeights struct {
	Table                      *Node // [32, N], relative
	Hidden, HiddenBias, Output *Node // [512, 1], [512], [N, 512], continuous
}

// continuousWidth is the number of hidden units of the continuous bias.
const continuousWidth = 512

func (b Bias) weights(v layers.Vars, heads int) BiasWeights {
	v = v.In("rel_pos_bias")
	if b == BiasContinuous {
		mlp := v.In("cpb_mlp")
		return BiasWeights{Hidden: mlp.In("0").Var("weight", layers.FanIn(1), continuousWidth, 1),
			HiddenBias: mlp.In("0").Var("bias", layers.FanIn(1), continuousWidth),
			Output:     mlp.In("2").Var("weight", layers.FanIn(continuousWidth), heads, continuousWidth)}
	}
	return BiasWeights{Table: v.In("relative_attention_bias").Var("weight", layers.Init{Normal: 1}, layers.RelativeBuckets, heads)}
}

// Bias returns the bias of every pair of n positions on an axis, [1, N, n, n] indexed by
// head, query and key. On a periodic axis, distances go around the axis if that is shorter.
func (w BiasWeights) Bias(n int, periodic bool) *Node {
	if w.Table == nil {
		return w.continuous(n, periodic)
	}
	bias := layers.BucketBias(w.Table, n, func(rel int) int {
		if periodic {
			rel = wrapped(rel, n)
		}
		return layers.RelativeBucket(rel, false)
	})
	return ExpandAxes(bias, 0)
}

// wrapped returns the distance rel between two of n positions of a periodic axis as the
// original computes it. For even n it is the shortest way, and n/2 and −n/2 stay apart. For
// odd n the original wraps distances above n/2 to other values than the shortest way; the
// published weights were trained with that.
func wrapped(rel, n int) int {
	half := n / 2
	switch {
	case rel < -half:
		return remainder(rel, half)
	case rel > half:
		return -remainder(-rel, half)
	}
	return rel
}

// remainder returns a mod n in 0…n−1, also for negative a.
func remainder(a, n int) int { return (a%n + n) % n }

// continuous returns the bias 16·σ(MLP(d)) of distances d = rel/(n−1), where the MLP has
// 512 hidden units with ReLU and one output per head.
func (w BiasWeights) continuous(n int, periodic bool) *Node {
	must(n > 1, "continuous bias: expected at least two positions (frames of the history, tokens of an axis), got %d", n)
	must(!periodic || n%2 == 0, "continuous bias: expected an even number of tokens on a periodic axis, got %d", n)
	assertDims("continuous bias weight", w.Hidden, continuousWidth, 1)
	assertDims("continuous bias output", w.Output, -1, continuousWidth)
	distances := make([][]float64, 2*n-1) // of rel = 1−n … n−1
	for i := range distances {
		rel := i - (n - 1)
		if periodic {
			rel = around(rel, n)
		}
		distances[i] = []float64{float64(rel) / float64(n-1)}
	}
	hidden := layers.Dense(ConstAs(w.Hidden, distances), w.Hidden, w.HiddenBias)
	values := layers.Dense(MaxScalar(hidden, 0), w.Output, nil) // [2n−1, N]
	values = MulScalar(Logistic(values), 16)
	return ExpandAxes(layers.BucketBias(values, n, func(rel int) int { return rel + n - 1 }), 0)
}

// around returns the shortest way between positions at distance rel on a periodic axis of an
// even number n of positions. For n/2 and −n/2 it is n/2.
func around(rel, n int) int {
	switch {
	case rel <= -n/2:
		return rel + n
	case rel > n/2:
		return rel - n
	}
	return rel
}
