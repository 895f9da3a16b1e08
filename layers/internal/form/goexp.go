package form

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/compute/support/envutil"
	. "github.com/gomlx/gomlx/core/graph"
)

// The functions in this file replace exponentials on gomlx's pure Go backend, whose Exp,
// Logistic, Tanh and Log call package math for every number. In programs that use vector
// instructions, math.Exp takes a microsecond or more per call on Intel processors with
// AVX-512. The replacements are the backend's fused softmax, which has a separate
// exponential, and a rational approximation that consists of additions and products. Their
// gradients are hand-written, because gomlx would differentiate through Exp.

// OwnForms reports whether the functions of this file compute x: on the Go backend, unless
// GOMLX_FUSION=0 disables hand-written gradients.
func OwnForms(x *Node) bool {
	fusing, err := envutil.ReadBool(FusionEnv, true)
	return OnGo(x.Graph()) && fusing && err == nil
}

// SiLUBySums returns SiLU, y = x·σ(x), with the gradient dx = dy·(σ + y·(1−σ)).
func SiLUBySums(x *Node) *Node {
	return WithAdjoint(x, nil, x.Shape(), func() *Node { return Mul(x, sigmoid(x)) },
		func(x, dy *Node) []*Node {
			s := sigmoid(x) // the backend computes equal nodes once
			y := Mul(x, s)
			return []*Node{Mul(dy, Add(s, Sub(y, Mul(y, s))))}
		})
}

// sigmoid returns 1/(1+e⁻ˣ) without a gradient. For float64, which only tests use, it is
// Logistic.
func sigmoid(x *Node) *Node {
	switch {
	case x.DType() == dtypes.Float32:
		return sigmoid32(x)
	case x.DType().IsHalfPrecision():
		return ConvertDType(sigmoid32(ConvertDType(x, dtypes.Float32)), x.DType())
	}
	return Logistic(x)
}

// sigmoid32 returns σ(x) = q / (q + p) for the quotient e⁻ˣ = p/q of [negExp32].
func sigmoid32(x *Node) *Node {
	p, q := negExp32(x)
	return Div(q, Add(q, p))
}

// negExp32 returns p and q with e⁻ˣ = p/q. It uses e⁻ˣ = 2ⁿ·2ʳ with an integer n and
// |r| ≤ ½, and 2ʳ = (a+b)/(a−b) with the Padé approximant of order [3/3], whose relative
// error is below 1e-8:
//
//	y = r·ln 2,  a = 120 + 12y²,  b = y·(60 + y²)
//
// Then p = 2ⁿ·(a+b) and q = a−b. Adding 1.5·2²³ rounds to an integer, which is in the low
// bits of the sum. Shifted into the exponent, these bits multiply by 2ⁿ. Arguments beyond
// ±80 count as ±80.
func negExp32(x *Node) (p, q *Node) {
	const (
		round    = 3 << 22
		ln2      = math.Ln2
		farthest = 80 // keeps 2ⁿ·(a+b) in the range of float32
	)
	t := MulScalar(ClipScalar(x, -farthest, farthest), -1/ln2)
	sum := AddScalar(t, round)
	r := Sub(t, AddScalar(sum, -round))
	square := Mul(r, r)
	a := AddScalar(MulScalar(square, 12/ln2), 120/(ln2*ln2*ln2)) // divided by ln³2, like b
	b := Mul(AddScalar(square, 60/(ln2*ln2)), r)
	above, below := Add(a, b), Sub(a, b)
	exponent := BitwiseShiftLeftScalar(Bitcast(sum, dtypes.Int32), 23)
	return Bitcast(Add(Bitcast(above, dtypes.Int32), exponent), dtypes.Float32), below
}

// SoftmaxTimes returns softmax(scores)·v for scores [batch…, S, T] and v [batch…, T, K],
// with weights p = softmax(scores) and the gradients
//
//	dv = pᵀ·dy,  dscores = p·(dy·vᵀ − Σ dy·y)
//
// The sum over K is one more column of the product dy·vᵀ.
func SoftmaxTimes(scores, v *Node) *Node {
	last := v.Rank() - 1
	var y *Node
	return WithAdjointAlong(scores, []*Node{v}, func(scores *Node, v []*Node) *Node {
		return BatchDot(ConvertDType(scores, v[0].DType()), -1, v[0], -2)
	}, func() *Node {
		y = PairDot(ConvertDType(BackendFusedSoftmax(scores, last), v.DType()), -1, v, -2)
		return y
	}, func(scores, dy *Node) []*Node {
		p := BackendFusedSoftmax(scores, last) // the backend computes equal nodes once
		dv := PairDot(ConvertDType(p, v.DType()), -2, dy, -2)
		dy, v, y := AtLeastFloat32(dy), AtLeastFloat32(v), AtLeastFloat32(y)
		ones := Ones(v.Graph(), shapes.Make(v.DType(), 1, v.Shape().Dim(-1)))
		along := LastDot(Mul(dy, y), Neg(ones))
		dp := PairDot(Concatenate([]*Node{dy, along}, -1), -1, WithOnes(v), -1)
		return []*Node{Mul(p, dp), dv}
	})
}

// SoftmaxFirst returns y, the softmax of x over the first axis, with dx = y·(dy − Σ y·dy).
func SoftmaxFirst(x *Node) *Node {
	if !OwnForms(x) {
		return Softmax(x, 0)
	}
	return WithAdjoint(x, nil, x.Shape(), func() *Node { return BackendFusedSoftmax(x, 0) },
		func(x, dy *Node) []*Node {
			y := BackendFusedSoftmax(x, 0)
			weighted := Mul(y, dy)
			sum := RepeatFirst(ReduceAndKeep(weighted, ReduceSum, 0), x.Shape().Dim(0))
			return []*Node{Sub(weighted, Mul(y, sum))}
		})
}
