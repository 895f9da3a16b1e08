package eval

import "math"

// Metric compares the forecast of one field with the truth, point by point,
// and returns one number. Both slices have one value per point. It fails on
// slices of different or zero length and on values that are not finite.
type Metric func(pred, ref []float32) (float64, error)

// MSE returns mean (x-y)², in squared units of the field.
func MSE(pred, ref []float32) (float64, error) {
	m, err := measure(pred, ref, false)
	return m.sqErr, err
}

// RMSE returns the root of [MSE], in units of the field.
func RMSE(pred, ref []float32) (float64, error) {
	m, err := measure(pred, ref, false)
	return math.Sqrt(m.sqErr), err
}

// MAE returns mean |x-y|, also called L1, in units of the field.
func MAE(pred, ref []float32) (float64, error) {
	m, err := measure(pred, ref, false)
	return m.absErr, err
}

// Linf returns max |x-y|, in units of the field.
func Linf(pred, ref []float32) (float64, error) {
	m, err := measure(pred, ref, false)
	return m.maxErr, err
}
