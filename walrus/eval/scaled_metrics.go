package eval

import "math"

// DefaultEps is the eps of the paper's VRMSE (docs/reference.md §10 and §14, item 14).
const DefaultEps = 1e-7

// EpsMetric is a [Metric] with a small eps in its denominator. It returns an error
// where a Metric does, and also for an eps that is negative or not finite and for a
// denominator of zero.
type EpsMetric func(pred, ref []float32, eps float64) (float64, error)

// WithEps binds eps, so that m can be used as a [Metric]. It returns nil if m is nil.
func WithEps(m EpsMetric, eps float64) Metric {
	if m == nil {
		return nil
	}
	return func(pred, ref []float32) (float64, error) { return m(pred, ref, eps) }
}

// VMSE returns mean (x-y)² / (var(y) + eps) with the unbiased variance of the
// truth over the points. It needs at least two points.
func VMSE(pred, ref []float32, eps float64) (float64, error) {
	return scaled(pred, ref, eps, true, func(m moments) (float64, float64) { return m.sqErr, m.varRef })
}

// VRMSE returns √VMSE (paper appendix E.1, docs/reference.md §10), the metric of the
// paper's tables. It is 0 for a perfect forecast and about 1 for the mean of the truth.
// The reference always uses [DefaultEps]; this function uses the given eps.
func VRMSE(pred, ref []float32, eps float64) (float64, error) {
	v, err := VMSE(pred, ref, eps)
	return math.Sqrt(v), err
}

// NMSE returns mean (x-y)² / (mean y² + eps).
func NMSE(pred, ref []float32, eps float64) (float64, error) {
	return scaled(pred, ref, eps, false, func(m moments) (float64, float64) { return m.sqErr, m.sqRef })
}

// NRMSE returns √NMSE (docs/reference.md §10). It is 1 for a forecast of zero.
func NRMSE(pred, ref []float32, eps float64) (float64, error) {
	v, err := NMSE(pred, ref, eps)
	return math.Sqrt(v), err
}

// NMAE returns mean |x-y| / (mean |y| + eps).
func NMAE(pred, ref []float32, eps float64) (float64, error) {
	return scaled(pred, ref, eps, false, func(m moments) (float64, float64) { return m.absErr, m.absRef })
}

// PearsonR returns cov(x,y) / (std(x)·std(y) + eps) with the biased covariance and the
// unbiased standard deviations, as the reference does. A perfect forecast of n points
// therefore scores (n-1)/n, not 1. It needs at least two points.
func PearsonR(pred, ref []float32, eps float64) (float64, error) {
	return scaled(pred, ref, eps, true, func(m moments) (float64, float64) {
		return m.cov, math.Sqrt(m.varPred) * math.Sqrt(m.varRef)
	})
}

// scaled computes the moments and returns numerator / (denominator + eps).
func scaled(pred, ref []float32, eps float64, needVar bool, parts func(moments) (num, den float64)) (float64, error) {
	if err := checkEps(eps); err != nil {
		return 0, err
	}
	m, err := measure(pred, ref, needVar)
	if err != nil {
		return 0, err
	}
	num, den := parts(m)
	return ratio(num, den+eps)
}
