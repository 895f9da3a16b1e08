package dpot

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// lossEps is added to the norm of the target.
const lossEps = 1e-8

// RelativeL2 returns the relative error [B] of each sample, the loss with which the
// original pretrains and finetunes:
//
//	loss[b] = 1/C · Σ_c ‖pred − target‖₂ / (‖target‖₂ + 1e-8)
//
// The norms are over all points and steps of channel c. pred and target are
// [B, n…, T, C]. mask, which may be nil, is broadcast to that shape. It multiplies both, and
// channels of a sample with a mask of zeros do not count. The original adds the losses of a
// batch.
func RelativeL2(pred, target, mask *Node) *Node {
	assertRank("RelativeL2 pred [B, n…, T, C]", pred, -3)
	check(pred.Shape().Equal(target.Shape()), "RelativeL2: expected a target of shape %v, got %v", pred.Shape(), target.Shape())
	b, c := pred.Shape().Dim(0), pred.Shape().Dim(-1)
	flat := func(x *Node) *Node { return Reshape(x, b, -1, c) }
	counted := Ones(pred.Graph(), pred.Shape())
	if mask != nil {
		check(mask.Rank() == pred.Rank(), "RelativeL2: expected a mask of rank %d, got shape %v", pred.Rank(), mask.Shape().Dimensions)
		counted = BroadcastToDims(mask, pred.Shape().Dimensions...)
		pred, target = Mul(pred, counted), Mul(target, counted)
	}
	errors := norm(flat(Sub(pred, target)))
	relative := Div(errors, AddScalar(norm(flat(target)), lossEps))
	zero := ScalarZero(pred.Graph(), pred.DType())
	active := ConvertDType(GreaterThan(ReduceMax(Abs(flat(counted)), 1), zero), pred.DType())
	return Div(ReduceSum(relative, 1), ReduceSum(active, 1))
}

// norm returns the Euclidean norm over the middle axis of x [B, S, C], with gradient zero
// at zero.
func norm(x *Node) *Node {
	square := ReduceSum(Square(x), 1)
	positive := GreaterThan(square, ScalarZero(x.Graph(), x.DType()))
	safe := Where(positive, square, OnesLike(square))
	return Where(positive, Sqrt(safe), ZerosLike(square))
}
