package layers

import (
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
)

// DropPath multiplies the residual branch x by a factor for each index of its first axis.
// keep [n] holds 0 for a dropped path and 1/(1−p) for a kept one, as drawn on the host by
// [DrawKeep]. If keep is nil, DropPath returns x.
//
// Space mixing drops frames: its first axis is T·B. Time mixing drops time steps of the
// whole batch, as in the release (docs/reference.md §7.1): its first axis is T.
func DropPath(x, keep *Node) *Node {
	if keep == nil {
		return x
	}
	assertDims("DropPath keep", keep, x.Shape().Dim(0))
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = keep.Shape().Dim(0)
	return Mul(x, Reshape(keep, dims...))
}

// DropPathRates returns the rate of each block, linear from 0 to p. It returns nil unless
// blocks is 1 to 2^16.
func DropPathRates(p float64, blocks int) []float64 {
	if blocks < 1 || blocks > 1<<16 {
		return nil
	}
	out := make([]float64, blocks)
	for i := range out {
		if blocks > 1 {
			out[i] = p * float64(i) / float64(blocks-1)
		}
	}
	return out
}

// DrawKeep sets each element of keep to 0 with probability p and to 1/(1−p) otherwise. A
// rate of 0 draws no random numbers and gives ones; a rate of 1 gives zeros.
func DrawKeep(rng *rand.Rand, p float64, keep []float32) {
	for i := range keep {
		switch {
		case p <= 0:
			keep[i] = 1
		case rng.Float64() < p:
			keep[i] = 0
		default:
			keep[i] = float32(1 / (1 - p))
		}
	}
}
