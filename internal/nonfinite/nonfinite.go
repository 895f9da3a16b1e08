// Package nonfinite looks for values that are not finite.
package nonfinite

import "math"

// First returns the position of the first NaN or infinity, or -1.
func First(values []float32) int {
	// The exponent's bits are all set in those only.
	const exponent = 0x7f800000
	for i, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}
