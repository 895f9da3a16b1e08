package form

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// TestSigmoid32: the approximation has the accuracy of float32 over its whole range, and
// returns NaN for NaN.
func TestSigmoid32(t *testing.T) {
	if testbackend.New(t).Name() != "Go Backend" {
		t.Skip("concerns the Go backend: XLA may replace a sum and difference by their result")
	}
	var in []float32
	for x := -79.0; x <= 79; x += 0.0137 {
		in = append(in, float32(x))
	}
	out := testbackend.Run(t, func(in []*Node) []*Node { return []*Node{sigmoid32(in[0])} }, testbackend.Tensor(in, len(in)))[0]
	for i, x := range in {
		want := 1 / (1 + math.Exp(-float64(x)))
		// Three roundings of the quotient. x/ln 2 is rounded by 2⁻²⁴, and the float32
		// factor 1/ln 2 has an error of 1.34e-8; both errors grow with x.
		allowed := 3*0x1p-24 + math.Abs(float64(x))*(0x1p-24+1.35e-8)
		require.InEpsilon(t, want, out[i], allowed, "x = %v", x)
	}
	ends := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e30, -1e30}
	out = testbackend.Run(t, func(in []*Node) []*Node { return []*Node{sigmoid32(in[0])} }, testbackend.Tensor(ends, len(ends)))[0]
	require.True(t, math.IsNaN(float64(out[0])), "of NaN: %v", out[0])
	require.Equal(t, []float32{1, 1}, []float32{out[1], out[3]})
	require.InDelta(t, 0, out[2], 1e-30)
	require.InDelta(t, 0, out[4], 1e-30)
}
