package layers

import (
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Attention by the device's own operation, which never writes the scores to memory. CUDA
// devices have it (cuDNN) for factors of half precision. Where products of float32 are
// rounded to the ten bits of TF32 anyway, attention takes float16, whose fraction has as
// many, and what its smaller exponent cannot hold is scaled for every head of a frame:
// values by the largest of them, gradients by the largest of theirs. Queries and keys
// are normalised and need none.

// fusedWidth is the widest head that the operation takes.
const fusedWidth = 128

// fusedType is the type of the factors with which the backend's own operation computes the
// attention of q, k and v [F, N, S, K], or none. (XLA cannot cut the operation over
// devices: it would bring all samples to all of them.)
func fusedType(q *Node) dtypes.DType {
	width := q.Shape().Dim(3)
	if !onGPU(q.Graph()) || q.Graph().NumDevices() > 1 || width%8 != 0 || width > fusedWidth || q.Shape().Dim(2)%2 != 0 {
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
// which it does by default.
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

// attendFused is [attend] without a bias by the backend's own operation, of factors of
// type t, which are kept for the backward pass in training. (Where there is no such
// operation, in tests, by softmaxDot of such factors.)
func attendFused(q, k, v *Node, layout headLayout, t dtypes.DType, training bool) *Node {
	largest := func(x *Node) *Node { // of every head of a frame, [F, 1, N, 1]
		if t == q.DType() {
			return OnesLike(SliceAxis(SliceAxis(x, 1, AxisElem(0)), 3, AxisElem(0)))
		}
		return MaxScalar(ReduceAndKeep(ReduceAndKeep(Abs(x), ReduceMax, 3), ReduceMax, 1), 1e-30)
	}
	given := stack(q, k, v)
	q, k, v = layout.merged(q), layout.merged(k), layout.merged(v)
	scale := kept(training, largest(v))
	factors := []*Node{q, k, Div(v, scale)}
	for i, x := range factors {
		factors[i] = kept(training, ConvertDType(x, t))
	}
	y := fusedAttention(factors[0], factors[1], factors[2])
	return withAdjoint(given, nil, shapes.Make(q.DType(), layout.shape...), func() *Node {
		return Mul(ConvertDType(y, given.DType()), scale)
	}, func(_, dy *Node) []*Node {
		dy = Mul(dy, scale)
		size := largest(dy)
		// dy is a number here: it may depend on y, and on what is computed again.
		dy = StopGradient(kept(training, ConvertDType(Div(dy, size), t)))
		made := Gradient(ReduceAllSum(Mul(y, dy)), factors...)
		for i := range made {
			made[i] = Mul(ConvertDType(made[i], given.DType()), size)
		}
		made[2] = Div(made[2], scale)
		for i := range made {
			made[i] = layout.perHead(made[i])
		}
		return []*Node{stack(made...)}
	})
}

// fusedAttention returns softmax(q·kᵀ)·v for q, k, v of half precision [F, S, N, K].
func fusedAttention(q, k, v *Node) *Node {
	y, _ := InternalFusedOpCaller(func() *Node {
		y, _ := BackendFusedScaledDotProductAttention(q, k, v, compute.AttentionAxesLayoutBSHD,
			&compute.ScaledDotProductAttentionConfig{Scale: 1})
		return y
	}, func() *Node { return perHead(softmaxDot(perHead(q), perHead(k), perHead(v), nil)) }, false)
	return y
}
