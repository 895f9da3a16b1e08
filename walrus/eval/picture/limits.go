package picture

import (
	"fmt"
	"math"
)

// Range is the interval of values that a colour map covers. Values outside are drawn in
// the colours of the ends. The zero Range means the extent of the drawn values.
type Range struct{ Min, Max float64 }

// Extent returns the smallest range that holds all values.
func Extent(values ...[]float32) (Range, error) {
	r := Range{math.Inf(1), math.Inf(-1)}
	for _, vs := range values {
		for i, v := range vs {
			if err := finite(float64(v), i); err != nil {
				return Range{}, err
			}
			r.Min, r.Max = math.Min(r.Min, float64(v)), math.Max(r.Max, float64(v))
		}
	}
	if r.Min > r.Max {
		return Range{}, fmt.Errorf("picture: range: expected values, got none")
	}
	return r, nil
}

// Symmetric returns the range from -a to a, where a is the quantile q (0 to 1) of the
// magnitudes: q = 1 covers all values, 0.99 lets one in a hundred saturate.
func Symmetric(q float64, values ...[]float32) (Range, error) {
	if !(q >= 0 && q <= 1) {
		return Range{}, fmt.Errorf("picture: range: expected a quantile from 0 to 1, got %v", q)
	}
	n := 0
	for _, vs := range values {
		for i, v := range vs {
			if err := finite(float64(v), i); err != nil {
				return Range{}, err
			}
		}
		n += len(vs)
	}
	if n == 0 {
		return Range{}, fmt.Errorf("picture: range: expected values, got none")
	}
	a := float64(ranked(int(math.Ceil(q*float64(n-1))), values))
	return Range{-a, a}, nil
}

// ranked returns the magnitude at position rank of the sorted magnitudes of finite values. It
// copies no values: the bits of positive floats are in the order of the numbers, so it
// counts the upper halves, and then the lower halves of those with the upper half at the
// position.
func ranked(rank int, values [][]float32) float32 {
	const half = 16
	counts := make([]int, 1<<half)
	position := func() (bucket uint32) {
		for rank >= counts[bucket] {
			rank -= counts[bucket]
			bucket++
		}
		return bucket
	}
	magnitude := func(v float32) uint32 { return math.Float32bits(v) &^ (1 << 31) }
	for _, vs := range values {
		for _, v := range vs {
			counts[magnitude(v)>>half]++
		}
	}
	upper := position()
	clear(counts)
	for _, vs := range values {
		for _, v := range vs {
			if m := magnitude(v); m>>half == upper {
				counts[m&(1<<half-1)]++
			}
		}
	}
	return math.Float32frombits(upper<<half | position())
}

func finite(v float64, i int) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("picture: expected finite values, got %v at %d", v, i)
	}
	return nil
}

// orExtent checks r, replaces the zero Range and widens a range without extent.
func (r Range) orExtent(values []float32) (Range, error) {
	extent, err := Extent(values)
	if err != nil {
		return Range{}, err
	}
	if r == (Range{}) {
		r = extent
	}
	if !(r.Min <= r.Max) || math.IsInf(r.Max-r.Min, 0) {
		return Range{}, fmt.Errorf("picture: range: expected a minimum below the maximum, got %v and %v", r.Min, r.Max)
	}
	return r.widened(), nil
}

// widened returns r, or a range around its value if it has no extent: a constant field
// then has the middle colour.
func (r Range) widened() Range {
	if r.Min < r.Max {
		return r
	}
	half := math.Abs(r.Min) / 2
	if half < 1e-30 {
		half = 1
	}
	return Range{r.Min - half, r.Max + half}
}

// labels returns the numbers at the ends and in the middle of a colour bar, with three
// digits or as many more as tell them apart. If six do not, the ends are distances from
// the middle.
func (r Range) labels() (top, middle, bottom string) {
	half := r.Max/2 - r.Min/2
	at := r.Min + half
	for digits := 3; digits <= 6; digits++ {
		top, middle, bottom = number(r.Max, digits), number(at, digits), number(r.Min, digits)
		if top != middle && middle != bottom && top != bottom {
			return top, middle, bottom
		}
	}
	return "+" + number(half, 2), number(at, 6), "-" + number(half, 2)
}

// place returns the position of v in the range, 0 at Min, 1 at Max.
func (r Range) place(v float64) float64 { return (v - r.Min) / (r.Max - r.Min) }
