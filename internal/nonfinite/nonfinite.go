// Package nonfinite finds values that are not finite.
package nonfinite

import "math"

// First returns the index of the first NaN or infinity, or -1.
func First(values []float32) int {
	// NaN and infinities are the only values with all exponent bits set.
	const exponent = 0x7f800000
	for i, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}
