package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// NormForm selects the axes over which RMSGroupNorm averages.
type NormForm int

const (
	// NormChannel normalises each channel over space separately. The release computes this
	// for any number of groups.
	NormChannel NormForm = iota
	// NormGroup normalises over space and the channels of a group together, as in paper
	// §3.1. Weights trained with one form do not work with the other.
	NormGroup
)

var normNames = []string{"channel", "group"}

// String returns "channel" or "group".
func (n NormForm) String() string { return enum.Name(normNames, n) }

// MarshalText returns [NormForm.String], or an error for an unknown value.
func (n NormForm) MarshalText() ([]byte, error) { return enum.Text("norm form", normNames, n) }

// UnmarshalText reads the text that MarshalText writes.
func (n *NormForm) UnmarshalText(b []byte) error { return enum.Parse("norm form", normNames, b, n) }

// NormEps is the release's epsilon, the machine epsilon of float32. The release does not
// use its attribute eps=1e-6.
const NormEps = 1.1920929e-7

// NormConfig configures RMSGroupNorm. The zero value is the release's norm.
type NormConfig struct {
	Form NormForm
	// Groups is the number G of channel groups of NormGroup. It must divide the number of
	// channels. NormChannel ignores it.
	Groups int
	// Eps is added to the mean square. 0 means NormEps.
	Eps float64
}

// RMSGroupNorm divides x by its root mean square and multiplies it by a weight per channel:
//
//	y[f,…,c] = x[f,…,c] / sqrt(mean(x²) + eps) · weight[c]
//
// The released form (NormChannel, the default) averages over space, separately for each
// frame and channel. The paper's form (NormGroup) also averages over the channels of a
// group.
//
// x is [F, space…, C] with one or more spatial axes, weight is [C].
func RMSGroupNorm(x, weight *Node, cfg NormConfig) *Node {
	rank := x.Rank()
	must(rank >= 3, "RMSGroupNorm: expected [F, space…, C], got shape %v", x.Shape().Dimensions)
	f, c := x.Shape().Dimensions[0], x.Shape().Dimensions[rank-1]
	assertDims("RMSGroupNorm weight", weight, c)
	eps := cfg.Eps
	if eps == 0 {
		eps = NormEps
	}
	// Average one axis after the other: a single float32 sum over all points would lose two
	// digits on large grids.
	ms := Square(x)
	for a := rank - 2; a >= 1; a-- {
		ms = form.MeanAxis(ms, a)
	}
	if cfg.Form == NormGroup {
		must(cfg.Groups > 0 && c%cfg.Groups == 0,
			"RMSGroupNorm: %d groups do not divide %d channels", cfg.Groups, c)
		group := ReduceAndKeep(Reshape(ms, f, cfg.Groups, -1), ReduceMean, 2)
		ms = Reshape(BroadcastToDims(group, f, cfg.Groups, c/cfg.Groups), ms.Shape().Dimensions...)
	}
	factors := Div(ExpandLeftToRank(weight, rank), Sqrt(AddScalar(ms, eps)))
	if form.OnGo(x.Graph()) {
		return form.ScaleChannels(x, Reshape(factors, f, c))
	}
	return Mul(x, factors)
}

// RMSGroupNormBuilder builds RMSGroupNorm with its weight in a scope.
type RMSGroupNormBuilder struct {
	scope *model.Scope
	x     *Node
	cfg   NormConfig
}

// NewRMSGroupNorm returns a builder of the RMSGroupNorm of x [F, space…, C].
func NewRMSGroupNorm(scope *model.Scope, x *Node) *RMSGroupNormBuilder {
	return &RMSGroupNormBuilder{scope: scope, x: x}
}

// PaperForm normalises over groups of channels as in the paper.
func (b *RMSGroupNormBuilder) PaperForm(groups int) *RMSGroupNormBuilder {
	b.cfg.Form, b.cfg.Groups = NormGroup, groups
	return b
}

// Epsilon sets the epsilon. The default is NormEps.
func (b *RMSGroupNormBuilder) Epsilon(eps float64) *RMSGroupNormBuilder {
	b.cfg.Eps = eps
	return b
}

// Done creates the variable "weight" (initially 1) and returns the normalised x.
func (b *RMSGroupNormBuilder) Done() *Node {
	c := b.x.Shape().Dim(-1)
	return RMSGroupNorm(b.x, normWeight(ScopeVars(b.scope, b.x.Graph()), c), b.cfg)
}

func normWeight(v Vars, channels int) *Node { return v.Var("weight", One, channels) }
