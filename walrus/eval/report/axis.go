package report

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
)

// Ticks are chosen here and not by gonum/plot, whose logarithmic axis labels only powers
// of ten: errors within a decade would have a single number.

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

// steps makes an axis of steps, with a margin at both ends. Ticks are at whole numbers if
// all positions are.
func steps(a *plot.Axis, at []float64) {
	low, high := slices.Min(at), slices.Max(at)
	room := 0.03 * (high - low)
	if size := math.Max(math.Abs(low), math.Abs(high)); high-low <= 1e-9*size || high == low {
		room = math.Max(0.5, 0.1*size)
	}
	a.Min, a.Max = low-room, high+room
	step := niceStep(a.Max-a.Min, 11)
	if !slices.ContainsFunc(at, func(v float64) bool { return v != math.Trunc(v) }) {
		step = math.Max(1, step)
	}
	a.Tick.Marker = multiples(step, math.Ceil(a.Min/step), math.Floor(a.Max/step))
}

// fromZero makes a linear axis from zero, or below if values are negative, to a tick.
func fromZero(a *plot.Axis, values []float64) {
	low, high := math.Min(0, slices.Min(values)), math.Max(0, slices.Max(values))
	if low == high {
		high = 1
	}
	step := niceStep(high-low, 6)
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	a.Min, a.Max = first*step, last*step
	a.Tick.Marker = multiples(step, first, last)
}

func multiples(step, first, last float64) plot.ConstantTicks {
	var out plot.ConstantTicks
	for i := range int(last-first) + 1 {
		k := first + float64(i)
		out = append(out, plot.Tick{Value: k * step, Label: label(k * step)})
	}
	return out
}

// logarithmic makes an axis with ends and labels at 1, 2 or 5 times powers of ten. Over
// more than two and a half decades labels are only at the powers, and below a ratio of
// five they are closer.
func logarithmic(a *plot.Axis, values []float64) {
	low, high := slices.Min(values), slices.Max(values)
	digits := []float64{1, 2, 5}
	if high < 5*low {
		digits = []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}
	}
	var nice []float64
	for e := math.Floor(math.Log10(low)) - 1; e <= math.Ceil(math.Log10(high))+1; e++ {
		for _, k := range digits {
			nice = append(nice, k*math.Pow(10, e))
		}
	}
	first, last := 0, len(nice)-1
	for nice[first+1] <= low*(1+1e-9) {
		first++
	}
	for nice[last-1] >= high*(1-1e-9) {
		last--
	}
	if first == last {
		last++
	}
	a.Min, a.Max, a.Scale = math.Min(nice[first], low), math.Max(nice[last], high), plot.LogScale{}
	wide := math.Log10(a.Max/a.Min) > 2.5
	var ticks plot.ConstantTicks
	for i := first; i <= last; i++ {
		t := plot.Tick{Value: nice[i]}
		if !wide || i%3 == 0 {
			t.Label = label(nice[i])
		}
		ticks = append(ticks, t)
	}
	a.Tick.Marker = ticks
}

func label(v float64) string {
	if math.Abs(v) >= 1e-3 && math.Abs(v) < 1e6 {
		return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
	}
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
