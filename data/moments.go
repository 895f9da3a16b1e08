package data

import "math"

// Moments are count, mean and the sum of squared distances from the mean of a
// set of numbers. They are kept in float64 and merged by the pairwise update of
// Chan, Golub and LeVeque, which does not lose small variances beside large
// means. The zero value is that of no numbers.
type Moments struct {
	Count float64
	Mean  float64
	M2    float64
}

// MomentsOf returns the moments of values.
func MomentsOf(values []float64) Moments {
	if len(values) == 0 {
		return Moments{}
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	m := Moments{Count: float64(len(values)), Mean: sum / float64(len(values))}
	for _, v := range values {
		m.M2 += (v - m.Mean) * (v - m.Mean)
	}
	return m
}

// Add merges the moments of another set.
func (m *Moments) Add(o Moments) {
	n := m.Count + o.Count
	if n == 0 {
		return
	}
	d := o.Mean - m.Mean
	m.Mean += d * o.Count / n
	m.M2 += o.M2 + d*d*m.Count*o.Count/n
	m.Count = n
}

// Variance is the biased variance, the mean squared distance from the mean.
func (m Moments) Variance() float64 {
	if m.Count == 0 {
		return 0
	}
	return m.M2 / m.Count
}

// Std is the root of the variance.
func (m Moments) Std() float64 { return math.Sqrt(m.Variance()) }

// RMS is the root of the mean square.
func (m Moments) RMS() float64 { return math.Sqrt(m.Variance() + m.Mean*m.Mean) }
