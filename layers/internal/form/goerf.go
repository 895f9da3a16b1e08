package form

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// GELUBySums returns x·Φ(x), where Φ is the distribution function of the standard normal
// distribution, with the gradient dx = dy·(Φ(x) + x·φ(x)). The Go backend would compute the
// error function and, for the gradient, the exponential in package math.
func GELUBySums(x *Node) *Node {
	return WithAdjoint(x, nil, x.Shape(), func() *Node { return Mul(x, normalCDF(x)) },
		func(x, dy *Node) []*Node {
			return []*Node{Mul(dy, Add(normalCDF(x), Mul(x, normalDensity(x))))}
		})
}

// normalCDF returns Φ(x) = ½(1 + erf(x/√2)) without a gradient.
func normalCDF(x *Node) *Node {
	switch {
	case x.DType() == dtypes.Float32:
		return AddScalar(MulScalar(erf32(x), 0.5), 0.5)
	case x.DType().IsHalfPrecision():
		return ConvertDType(normalCDF(ConvertDType(x, dtypes.Float32)), x.DType())
	}
	return MulScalar(AddScalar(Erf(DivScalar(x, math.Sqrt2)), 1), 0.5)
}

// normalDensity returns φ(x) = e^(−x²/2)/√(2π) without a gradient.
func normalDensity(x *Node) *Node {
	switch {
	case x.DType() == dtypes.Float32:
		p, q := negExp32(MulScalar(Square(x), 0.5))
		return MulScalar(Div(p, q), 1/math.Sqrt(2*math.Pi))
	case x.DType().IsHalfPrecision():
		return ConvertDType(normalDensity(ConvertDType(x, dtypes.Float32)), x.DType())
	}
	return MulScalar(Exp(MulScalar(Square(x), -0.5)), 1/math.Sqrt(2*math.Pi))
}

// erfRange is the bound beyond which erf(x/√2) differs from ±1 by less than 2.2e-8.
const erfRange = 5.6

// erfNumerator and erfDenominator are the coefficients of polynomials P and Q in x² such
// that x·P(x²)/Q(x²) differs from erf(x/√2) by less than 1.9e-8 for |x| ≤ erfRange. They
// are a minimax fit, computed with 50 digits.
var (
	erfNumerator = []float64{0.797884445659, 0.0687327682799, 0.00941319917358,
		0.000347482253466, 1.27096292493e-05, 4.42945079286e-08}
	erfDenominator = []float64{1, 0.252809480212, 0.0289343503069,
		0.00191237213323, 7.50614173229e-05, 1.18013913116e-06}
)

// erf32 returns erf(x/√2) for float32.
func erf32(x *Node) *Node {
	x = ClipScalar(x, -erfRange, erfRange)
	square := Mul(x, x)
	erf := Div(Mul(x, polynomial(square, erfNumerator)), polynomial(square, erfDenominator))
	return ClipScalar(erf, -1, 1)
}

// polynomial returns Σ coefficients[i]·xⁱ.
func polynomial(x *Node, coefficients []float64) *Node {
	last := len(coefficients) - 1
	y := MulScalar(x, coefficients[last])
	for i := last - 1; i > 0; i-- {
		y = Mul(AddScalar(y, coefficients[i]), x)
	}
	return AddScalar(y, coefficients[0])
}
