package eval

import (
	"fmt"
	"math"
)

// moments are the sums over the points of one field from which metrics are computed.
type moments struct {
	n                 int
	absErr, sqErr     float64 // mean |x-y|, mean (x-y)²
	maxErr            float64 // max |x-y|
	absRef, sqRef     float64 // mean |y|, mean y²
	meanPred, meanRef float64
	varPred, varRef   float64 // unbiased
	cov               float64 // biased
}

// measure checks the input and computes all moments in two passes. With needVar it
// requires at least two points, without which no unbiased variance exists.
func measure(pred, ref []float32, needVar bool) (moments, error) {
	var m moments
	if err := check(pred, ref, needVar); err != nil {
		return m, err
	}
	m.n = len(ref)
	n := float64(m.n)
	for i, r := range ref {
		x, y := float64(pred[i]), float64(r)
		d := math.Abs(x - y)
		m.absErr += d / n
		m.sqErr += d * d / n
		m.maxErr = max(m.maxErr, d)
		m.absRef += math.Abs(y) / n
		m.sqRef += y * y / n
		m.meanPred += x / n
		m.meanRef += y / n
	}
	if m.n < 2 {
		return m, nil
	}
	for i, r := range ref {
		dx, dy := float64(pred[i])-m.meanPred, float64(r)-m.meanRef
		m.varPred += dx * dx / (n - 1)
		m.varRef += dy * dy / (n - 1)
		m.cov += dx * dy / n
	}
	return m, nil
}

func check(pred, ref []float32, needVar bool) error {
	if len(pred) != len(ref) {
		return fmt.Errorf("eval: expected forecast and truth of one length, got %d and %d", len(pred), len(ref))
	}
	if len(ref) == 0 {
		return fmt.Errorf("eval: expected at least one point, got none")
	}
	if needVar && len(ref) < 2 {
		return fmt.Errorf("eval: expected at least two points for an unbiased variance, got one")
	}
	if i := notFinite(pred); i >= 0 {
		return fmt.Errorf("eval: forecast: expected finite values, got %v at point %d", pred[i], i)
	}
	if i := notFinite(ref); i >= 0 {
		return fmt.Errorf("eval: truth: expected finite values, got %v at point %d", ref[i], i)
	}
	return nil
}

// notFinite returns the index of the first NaN or infinity, or -1.
func notFinite(v []float32) int {
	for i, x := range v {
		if d := x - x; d != 0 { // NaN for NaN and both infinities
			return i
		}
	}
	return -1
}

func checkEps(eps float64) error {
	if !(eps >= 0) || math.IsInf(eps, 1) {
		return fmt.Errorf("eval: eps: expected a finite number of at least 0, got %v", eps)
	}
	return nil
}

// ratio divides and refuses 0/0 and x/0, which only an eps of 0 allows.
func ratio(num, den float64) (float64, error) {
	if den == 0 {
		return 0, fmt.Errorf("eval: the truth does not vary (or is zero) and eps is 0: the metric is undefined")
	}
	return num / den, nil
}
