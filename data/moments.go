package data

import "math"

// Moments holds the count, the mean and the sum of squared deviations of a set of numbers.
// It uses float64 and the pairwise update of Chan, Golub and LeVeque, which keeps small
// variances accurate when the mean is large. The zero value describes the empty set.
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

// Variance returns the biased variance, the mean squared deviation from the mean.
func (m Moments) Variance() float64 {
	if m.Count == 0 {
		return 0
	}
	return m.M2 / m.Count
}

// Std returns the standard deviation, the square root of Variance.
func (m Moments) Std() float64 { return math.Sqrt(m.Variance()) }

// RMS returns the root mean square.
func (m Moments) RMS() float64 { return math.Sqrt(m.Variance() + m.Mean*m.Mean) }
