package mpp

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// LossEps is the epsilon of [Loss].
const LossEps = 1e-7

// Loss returns the loss of the original's training, the mean over samples and fields of the
// squared error relative to the mean square of the target:
//
//	mean over b, c of  mean(y − target)² / (1e-7 + mean(target²))
//
// y and target are [B, C, H, W], in the same units. The original takes physical units.
func Loss(y, target *Node) *Node {
	assertDims("loss target", target, y.Shape().Dimensions...)
	average := func(x *Node) *Node { return ReduceMean(ReduceMean(x, 3), 2) }
	return ReduceAllMean(Div(average(Square(Sub(y, target))), AddScalar(average(Square(target)), LossEps)))
}
