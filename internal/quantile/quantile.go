// Package quantile computes quantiles of ensembles.
package quantile

// Of returns the quantile p of sorted values: the value at position p·(n+1), counted from 1,
// with linear interpolation (Weibull plotting positions), at least the first and at most the
// last. A further value of the same distribution is below it with probability p, as far as n
// values can tell. Without values it returns 0.
func Of(sorted []float32, p float64) float32 {
	if len(sorted) == 0 {
		return 0
	}
	at := p*float64(len(sorted)+1) - 1
	i := int(max(at, 0))
	if at <= 0 || i >= len(sorted)-1 {
		return sorted[min(i, len(sorted)-1)]
	}
	part := at - float64(i)
	return float32((1-part)*float64(sorted[i]) + part*float64(sorted[i+1]))
}
