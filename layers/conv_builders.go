package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// PatchConvBuilder builds a [PatchConv] with its kernel in a scope.
type PatchConvBuilder struct {
	scope          *model.Scope
	x, ids         *Node
	out, states    int
	kernel, stride [3]int
}

// NewPatchConv returns a builder of a strided convolution of x [F, H, W, D, Cin] to out
// channels, with the variable "weight" [out, Cin, kH, kW, kD].
func NewPatchConv(scope *model.Scope, x *Node, out int, kernel, stride [3]int) *PatchConvBuilder {
	return &PatchConvBuilder{scope: scope, x: x, out: out, kernel: kernel, stride: stride}
}

// Select selects columns of the kernel ([SelectInput]). The variable then has one column
// for each of states fields, and ids [Cin] (int32) holds the columns of the channels of x,
// the last three of which are the boundary channels.
func (b *PatchConvBuilder) Select(states int, ids *Node) *PatchConvBuilder {
	b.states, b.ids = states, ids
	return b
}

// Done creates the variable and returns [F, h, w, d, out].
func (b *PatchConvBuilder) Done() *Node {
	in, k := b.x.Shape().Dim(-1), b.kernel
	if b.ids != nil {
		in = b.states
	}
	w := ScopeVars(b.scope, b.x.Graph()).Var("weight", FanIn(in*k[0]*k[1]*k[2]), b.out, in, k[0], k[1], k[2])
	if b.ids != nil {
		w = SelectInput(w, b.ids)
	}
	return PatchConv(b.x, w, b.stride)
}

// PatchConvTransposeBuilder builds a [PatchConvTranspose] with its kernel and
// bias in a scope.
type PatchConvTransposeBuilder struct {
	scope          *model.Scope
	x, ids         *Node
	out            int
	kernel, stride [3]int
	periodic       [3]bool
	noBias         bool
}

// NewPatchConvTranspose returns a builder of a transposed convolution of x [F, h, w, d,
// Cin] to out channels, with the variables "weight" [Cin, out, kH, kW, kD] and "bias"
// [out].
func NewPatchConvTranspose(scope *model.Scope, x *Node, out int, kernel, stride [3]int) *PatchConvTransposeBuilder {
	return &PatchConvTransposeBuilder{scope: scope, x: x, out: out, kernel: kernel, stride: stride}
}

// Periodic sets which axes are periodic.
func (b *PatchConvTransposeBuilder) Periodic(axes [3]bool) *PatchConvTransposeBuilder {
	b.periodic = axes
	return b
}

// NoBias omits the bias.
func (b *PatchConvTransposeBuilder) NoBias() *PatchConvTransposeBuilder { b.noBias = true; return b }

// Select computes only the output channels ids (int32 [n]) of the out columns of the
// variables.
func (b *PatchConvTransposeBuilder) Select(ids *Node) *PatchConvTransposeBuilder {
	b.ids = ids
	return b
}

// Done creates the variables and returns [F, H, W, D, out].
func (b *PatchConvTransposeBuilder) Done() *Node {
	in, k := b.x.Shape().Dim(-1), b.kernel
	v, init := ScopeVars(b.scope, b.x.Graph()), FanIn(b.out*k[0]*k[1]*k[2])
	w := v.Var("weight", init, in, b.out, k[0], k[1], k[2])
	var bias *Node
	if !b.noBias {
		bias = v.Var("bias", init, b.out)
	}
	if b.ids != nil {
		w = SelectColumns(w, b.ids, 1)
		if bias != nil {
			bias = SelectColumns(bias, b.ids, 0)
		}
	}
	return PatchConvTranspose(b.x, w, bias, b.stride, b.periodic)
}

// DropPathBuilder builds a [DropPath] that draws its factors in the graph.
type DropPathBuilder struct {
	scope *model.Scope
	x     *Node
	rate  float64
}

// NewDropPath returns a builder that drops the residual branch x with the given rate,
// separately for each index of its first axis. It has an effect only in graphs that train
// (scope.IsTraining). The factors come from the scope's random state, so draws differ
// between backends. To repeat a run exactly, use [DropPath] with factors from the host.
func NewDropPath(scope *model.Scope, x *Node, rate float64) *DropPathBuilder {
	return &DropPathBuilder{scope: scope, x: x, rate: rate}
}

// Done returns x with dropped paths.
func (b *DropPathBuilder) Done() *Node {
	must(b.rate >= 0 && b.rate < 1, "DropPath: expected a rate 0 ≤ p < 1, got %v", b.rate)
	g := b.x.Graph()
	if b.rate == 0 || !b.scope.IsTraining(g) {
		return b.x
	}
	shape := shapes.Make(b.x.DType(), b.x.Shape().Dim(0))
	keep := b.scope.RandomBernoulli(ConstAs(b.x, 1-b.rate), shape)
	return DropPath(b.x, MulScalar(ConvertDType(keep, b.x.DType()), 1/(1-b.rate)))
}
