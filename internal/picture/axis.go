package picture

import (
	"math"
	"strconv"
)

// axis maps values to 0 (low end) … 1 (high end).
type axis struct {
	low, high float64 // logarithms if log
	log       bool
	ticks     []tick
}

type tick struct {
	at    float64
	label string
}

func (a axis) place(v float64) float64 {
	if a.log {
		v = math.Log10(v)
	}
	return (v - a.low) / (a.high - a.low)
}

// widest returns the width in pixels of the longest label.
func (a axis) widest() int {
	w := 0
	for _, t := range a.ticks {
		w = max(w, textWidth(t.label))
	}
	return w
}

// between maps 0…1 to a…b; pixel rounds the result.
func between(f float64, a, b int) float64 { return float64(a) + f*float64(b-a) }

func pixel(f float64, a, b int) int { return int(math.Round(between(f, a, b))) }

// niceStep returns 1, 2 or 5 times a power of ten that divides an extent into at most n
// parts.
func niceStep(extent float64, n int) float64 {
	base := math.Pow(10, math.Floor(math.Log10(extent/float64(n))))
	for _, k := range []float64{1, 2, 5} {
		if extent/(k*base) <= float64(n)*(1+1e-9) {
			return k * base
		}
	}
	return 10 * base
}

// stepAxis returns an axis from step 1 to n, with a margin at both ends.
func stepAxis(n int) axis {
	room := math.Max(0.5, 0.03*float64(n-1))
	a := axis{low: 1 - room, high: float64(n) + room}
	step := max(1, int(math.Round(niceStep(float64(n), 10))))
	a.ticks = append(a.ticks, tick{1, "1"})
	for i := step; i <= n; i += step {
		if i > 1 {
			a.ticks = append(a.ticks, tick{float64(i), strconv.Itoa(i)})
		}
	}
	return a
}

// linearAxis returns an axis from zero, or below if values are negative, to a tick.
func linearAxis(values []float64) axis {
	low, high := 0.0, 0.0
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	if low == high {
		high = 1
	}
	step := niceStep(high-low, 6)
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	a := axis{low: first * step, high: last * step}
	for k := first; k <= last; k++ {
		a.ticks = append(a.ticks, tick{k * step, number(k * step)})
	}
	return a
}

// logAxis returns an axis with ends and ticks at 1, 2 or 5 times powers of ten; over
// more than two decades ticks are only at the powers.
func logAxis(values []float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	var all []tick
	for e := math.Floor(math.Log10(low)) - 1; e <= math.Ceil(math.Log10(high))+1; e++ {
		for _, k := range []float64{1, 2, 5} {
			all = append(all, tick{k * math.Pow(10, e), number(k * math.Pow(10, e))})
		}
	}
	first, last := 0, len(all)-1
	for all[first+1].at <= low {
		first++
	}
	for all[last-1].at >= high {
		last--
	}
	if first == last {
		last++
	}
	a := axis{low: math.Log10(all[first].at), high: math.Log10(all[last].at), log: true}
	for i, t := range all[first : last+1] {
		if a.high-a.low <= 2.5 || (first+i)%3 == 0 {
			a.ticks = append(a.ticks, t)
		}
	}
	return a
}
