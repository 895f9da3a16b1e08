package dpot

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// statistics are the mean and the standard deviation of each sample and channel, [B, C].
type statistics struct{ mean, std *Node }

// stdEps is added to the standard deviation.
const stdEps = 1e-6

// statisticsOf returns the statistics of x [B, X…, T, C] over all points and frames. The
// standard deviation is the unbiased one.
func statisticsOf(x *Node) statistics {
	b, c := x.Shape().Dim(0), x.Shape().Dim(-1)
	n := float64(x.Shape().Size() / (b * c))
	mean := meanOverPoints(x)
	variance := MulScalar(meanOverPoints(Square(Sub(x, overPoints(mean, x.Rank())))), n/math.Max(n-1, 1))
	return statistics{mean, AddScalar(Sqrt(variance), stdEps)}
}

// meanOverPoints returns the mean [B, C] of x [B, …, C]. It averages one axis after the
// other, because a single float32 sum over all points would lose digits.
func meanOverPoints(x *Node) *Node {
	for axis := x.Rank() - 2; axis >= 1; axis-- {
		x = ReduceMean(x, axis)
	}
	return x
}

// overPoints inserts axes of length 1 into x [B, C], for the given rank.
func overPoints(x *Node, rank int) *Node {
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = 1
	}
	dims[0], dims[rank-1] = x.Shape().Dim(0), x.Shape().Dim(1)
	return Reshape(x, dims...)
}

func (s statistics) normalized(x *Node) *Node {
	return Div(Sub(x, overPoints(s.mean, x.Rank())), overPoints(s.std, x.Rank()))
}

func (s statistics) restored(y *Node) *Node {
	return Add(Mul(y, overPoints(s.std, y.Rank())), overPoints(s.mean, y.Rank()))
}

// scaleTokens multiplies tokens [B, n…, E] by one function of the statistics and adds
// another.
func (s statistics) scaleTokens(tokens *Node, mean, std Affine) *Node {
	both := Concatenate([]*Node{s.mean, s.std}, -1)
	return Add(Mul(tokens, overPoints(std.dense(both), tokens.Rank())), overPoints(mean.dense(both), tokens.Rank()))
}
