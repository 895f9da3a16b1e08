package golden

import "math"

// Turning reports the dimensions of a head of width k that the axial rotary embedding
// with frequencies freqs rotates differently for different tokens of a grid. Pair j of
// axis a is the dimensions 2(am+j) and 2(am+j)+1 with m frequencies; its angle grows by
// 2f/(n−1) from token to token. It is not rotated on an axis of one token, nor if that
// step is a multiple of 2π, as for f = 128π on five tokens.
//
// In the other dimensions the gradient of the keys' bias is zero by symmetry and pure
// rounding noise in any implementation: adding a constant to all keys shifts every
// logit of a query equally (docs/reference.md §16).
func Turning(freqs []float32, k int, grid [3]int) []bool {
	out := make([]bool, k)
	for a, n := range grid {
		for j, f := range freqs {
			if n == 1 {
				continue
			}
			step := math.Abs(math.Remainder(2*float64(f)/float64(n-1), 2*math.Pi))
			at := 2 * (a*len(freqs) + j)
			out[at], out[at+1] = step > 1e-3, step > 1e-3
		}
	}
	return out
}
