package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// GroupNormEps is the usual epsilon of [GroupNorm].
const GroupNormEps = 1e-5

// GroupNorm subtracts the mean over space and over the channels of a group, divides by the
// standard deviation (biased, with [GroupNormEps] under the root), and applies a weight and
// a bias per channel (arXiv 1803.08494):
//
//	y[f,…,c] = (x[f,…,c] − mean_g) / sqrt(var_g + 1e-5) · weight[c] + bias[c]
//
// x is [F, space…, C] with one or more spatial axes, weight and bias are [C]. The number of
// groups must divide C. Statistics are computed per frame. Walrus itself normalises with
// [RMSGroupNorm].
func GroupNorm(x, weight, bias *Node, groups int) *Node {
	rank := x.Rank()
	must(rank >= 3, "GroupNorm: expected [F, space…, C], got shape %v", x.Shape().Dimensions)
	f, c := x.Shape().Dimensions[0], x.Shape().Dimensions[rank-1]
	must(groups > 0 && c%groups == 0, "GroupNorm: %d groups do not divide %d channels", groups, c)
	assertDims("GroupNorm weight", weight, c)
	assertDims("GroupNorm bias", bias, c)
	mean := x
	for a := rank - 2; a >= 1; a-- {
		mean = form.MeanAxis(mean, a)
	}
	mean = ReduceAndKeep(Reshape(mean, f, groups, -1), ReduceMean, 2)
	mean = Reshape(BroadcastToDims(mean, f, groups, c/groups), f, c)
	if form.OnGo(x.Graph()) {
		x = form.ShiftChannels(x, Neg(mean))
	} else {
		x = Sub(x, spaced(mean, rank))
	}
	y := RMSGroupNorm(x, weight, NormConfig{Form: NormGroup, Groups: groups, Eps: GroupNormEps})
	return Add(y, ExpandLeftToRank(bias, rank))
}

// spaced inserts spatial axes of length 1 into x [F, C], for the given rank.
func spaced(x *Node, rank int) *Node {
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = 1
	}
	dims[0], dims[rank-1] = x.Shape().Dim(0), x.Shape().Dim(1)
	return Reshape(x, dims...)
}

// GroupNormBuilder builds [GroupNorm] with its weight and bias in a scope.
type GroupNormBuilder struct {
	scope  *model.Scope
	x      *Node
	groups int
}

// NewGroupNorm returns a builder of the GroupNorm of x [F, space…, C].
func NewGroupNorm(scope *model.Scope, x *Node, groups int) *GroupNormBuilder {
	return &GroupNormBuilder{scope: scope, x: x, groups: groups}
}

// Done creates the variables "weight" (initially 1) and "bias" (initially 0) and returns the
// normalised x.
func (b *GroupNormBuilder) Done() *Node {
	v, c := ScopeVars(b.scope, b.x.Graph()), b.x.Shape().Dim(-1)
	return GroupNorm(b.x, v.Var("weight", One, c), v.Var("bias", Zero, c), b.groups)
}
