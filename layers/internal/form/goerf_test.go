package form

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// TestGELUBySums: values and gradient have the accuracy of float32 over the whole range.
func TestGELUBySums(t *testing.T) {
	if testbackend.New(t).Name() != "Go Backend" {
		t.Skip("concerns the Go backend: XLA may replace a sum and difference by their result")
	}
	in := []float32{0, 1e-30, -1e-30, 100, -100, 1e6, -1e6, 30, -30}
	for x := -14.0; x <= 14; x += 0.0037 {
		in = append(in, float32(x))
	}
	out := testbackend.Run(t, func(in []*Node) []*Node {
		y := GELUBySums(in[0])
		return []*Node{y, Gradient(ReduceAllSum(y), in[0])[0]}
	}, testbackend.Tensor(in, len(in)))
	for i, v := range in {
		x := float64(v)
		cdf := math.Erfc(-x/math.Sqrt2) / 2
		// Φ has an absolute error of a few roundings of numbers up to 1, and its factor x.
		require.InDelta(t, x*cdf, out[0][i], 2.5e-7*math.Abs(x), "GELU(%v)", x)
		slope := cdf + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
		require.InDelta(t, slope, out[1][i], 6e-7, "GELU'(%v)", x)
	}
}
