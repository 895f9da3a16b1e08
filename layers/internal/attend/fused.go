package attend

import (
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// Attention by a fused operation of the device, which never writes the scores to memory.
// CUDA devices have one (cuDNN) for factors of half precision. If float32 products are
// rounded to the ten bits of TF32 anyway, attention uses float16, whose fraction has as
// many bits. As its exponent is smaller, operands are scaled for every head of a frame:
// values by the largest value, gradients by the largest gradient. Queries and keys are
// normalised and need no scaling.

// fusedWidth is the largest head width that the operation supports.
const fusedWidth = 128

// fusedType returns the type of the factors for the fused attention of q, k and v [F, N, S,
// K], or no type if it cannot be used. (XLA cannot shard the operation: it would gather all
// samples on all devices.)
func fusedType(q *Node) dtypes.DType {
	width := q.Shape().Dim(3)
	if !form.OnGPU(q.Graph()) || q.Graph().NumDevices() > 1 || width%8 != 0 || width > fusedWidth || q.Shape().Dim(2)%2 != 0 {
		return dtypes.InvalidDType
	}
	if q.DType() == dtypes.Float32 && roundsProducts(q.Graph()) {
		return dtypes.Float16
	}
	if q.DType().IsHalfPrecision() {
		return q.DType()
	}
	return dtypes.InvalidDType
}

// roundsProducts reports whether a CUDA device may round the factors of products to TF32,
// as it does by default.
func roundsProducts(g *Graph) bool {
	b, ok := g.Backend().(interface{ Config() string })
	if !ok {
		return false
	}
	for option := range strings.SplitSeq(b.Config(), ",") {
		name, value, given := strings.Cut(option, "=")
		if name == "notf32" {
			return false
		}
		if on, err := strconv.ParseBool(value); name == "tf32" && given && err == nil {
			return on
		}
	}
	return true
}

// attendFused computes [Attend] without a bias by the fused operation, with factors of type
// t, which training keeps for the backward pass. (On backends without the operation, in
// tests, it uses softmaxDot with such factors.)
func attendFused(q, k, v *Node, layout Layout, t dtypes.DType, training bool) *Node {
	largest := func(x *Node) *Node { // per frame and head, [F, 1, N, 1]
		if t == q.DType() {
			return OnesLike(SliceAxis(SliceAxis(x, 1, AxisElem(0)), 3, AxisElem(0)))
		}
		return MaxScalar(ReduceAndKeep(ReduceAndKeep(Abs(x), ReduceMax, 3), ReduceMax, 1), 1e-30)
	}
	given := form.Stacked(q, k, v)
	q, k, v = layout.Merged(q), layout.Merged(k), layout.Merged(v)
	scale := form.Kept(training, largest(v))
	factors := []*Node{q, k, Div(v, scale)}
	for i, x := range factors {
		factors[i] = form.Kept(training, ConvertDType(x, t))
	}
	y := fusedAttention(factors[0], factors[1], factors[2])
	return form.WithAdjoint(given, nil, shapes.Make(q.DType(), layout.Shape...), func() *Node {
		return Mul(ConvertDType(y, given.DType()), scale)
	}, func(_, dy *Node) []*Node {
		dy = Mul(dy, scale)
		size := largest(dy)
		// dy is a constant here. It may depend on y and on recomputed nodes, and these
		// dependencies have no part in the gradient.
		dy = StopGradient(form.Kept(training, ConvertDType(Div(dy, size), t)))
		made := Gradient(ReduceAllSum(Mul(y, dy)), factors...)
		for i := range made {
			made[i] = Mul(ConvertDType(made[i], given.DType()), size)
		}
		made[2] = Div(made[2], scale)
		for i := range made {
			made[i] = layout.PerHead(made[i])
		}
		return form.Once([]*Node{form.Stacked(made...)}, "fused attention, which CUDA devices use unless the backend has the option tf32=false,")
	})
}

// fusedAttention returns softmax(q·kᵀ)·v for q, k, v of half precision [F, S, N, K].
func fusedAttention(q, k, v *Node) *Node {
	y, _ := InternalFusedOpCaller(func() *Node {
		y, _ := BackendFusedScaledDotProductAttention(q, k, v, compute.AttentionAxesLayoutBSHD,
			&compute.ScaledDotProductAttentionConfig{Scale: 1})
		return y
	}, func() *Node { return PerHead(SoftmaxDot(PerHead(q), PerHead(k), PerHead(v), nil)) }, false)
	return y
}
