package eval

import (
	"math"
	"math/big"
)

// The bounds of IntervalBounds depend on the last bit of exp and log. There the two
// functions of package math differ from the reference's and between machines. The
// versions here compute with 160 bits and round once.
const precision = 160

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// atanh2 returns 2·atanh(z) = 2(z + z³/3 + z⁵/5 + …) for |z| ≤ 1/3.
func atanh2(z *big.Float) *big.Float {
	square := bigFloat(0).Mul(z, z)
	power, sum := bigFloat(0).Set(z), bigFloat(0)
	for k := 1.0; k < 2*precision/3; k += 2 {
		sum.Add(sum, bigFloat(0).Quo(power, bigFloat(k)))
		power.Mul(power, square)
	}
	return sum.Add(sum, sum)
}

func ln2() *big.Float { return atanh2(bigFloat(0).Quo(bigFloat(1), bigFloat(3))) }

// logInt returns ln n for n ≥ 1, correctly rounded: n = f·2^e with f in
// [1/2, 1), ln f = 2·atanh((f-1)/(f+1)).
func logInt(n int) float64 {
	f, e := math.Frexp(float64(n))
	z := bigFloat(0).Quo(bigFloat(f-1), bigFloat(f+1))
	sum := atanh2(z)
	sum.Add(sum, bigFloat(0).Mul(bigFloat(float64(e)), ln2()))
	out, _ := sum.Float64()
	return out
}

// expRounded returns e^v, correctly rounded, for moderate v: v = k·ln 2 + r
// and the Taylor series of e^r.
func expRounded(v float64) float64 {
	k := math.Round(v / math.Ln2)
	r := bigFloat(0).Sub(bigFloat(v), bigFloat(0).Mul(bigFloat(k), ln2()))
	term, sum := bigFloat(1), bigFloat(1)
	for i := 1.0; i < 50; i++ {
		term.Mul(term, r)
		term.Quo(term, bigFloat(i))
		sum.Add(sum, term)
	}
	sum.SetMantExp(sum, int(k))
	out, _ := sum.Float64()
	return out
}
