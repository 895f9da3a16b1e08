package dpot

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// TestRelativeL2 checks values by hand and that gradients stay finite where a norm is zero.
func TestRelativeL2(t *testing.T) {
	// Two samples of two points, one step and two channels.
	pred := testbackend.Tensor([]float32{3, 1, 4, 1, 1, 2, 1, 2}, 2, 2, 1, 1, 2)
	target := testbackend.Tensor([]float32{0, 1, 1, 1, 1, 2, 1, 0}, 2, 2, 1, 1, 2)
	mask := testbackend.Tensor([]float32{1, 0, 0, 0, 1, 1, 1, 1}, 2, 2, 1, 1, 2)
	got := testbackend.Run(t, func(in []*Node) []*Node {
		plain, masked := RelativeL2(in[0], in[1], nil), RelativeL2(in[0], in[1], in[2])
		return []*Node{plain, masked, Gradient(ReduceAllSum(plain), in[0])[0], Gradient(ReduceAllSum(masked), in[0])[0]}
	}, pred, target, mask)
	require.InDeltaSlice(t, []float64{math.Sqrt(18) / 2, 1.0 / 2}, []float64{float64(got[0][0]), float64(got[0][1])}, 1e-6)
	require.InDelta(t, 3e8, got[1][0], 1e3) // ‖3‖/(0 + 1e-8), one channel
	require.InDelta(t, 0.5, got[1][1], 1e-6)
	for _, g := range got[2:] {
		for _, v := range g {
			require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0), g)
		}
	}
	require.Equal(t, float32(0), got[3][3], "a masked value has no gradient")
	require.Equal(t, float32(0), got[2][1], "an exact channel has no gradient")
}

func TestRelativeL2Refuses(t *testing.T) {
	for _, c := range []struct {
		target, mask []int
		text         string
	}{
		{[]int{2, 3, 1, 3}, []int{2, 3, 1, 2}, "expected a target of shape"},
		{[]int{2, 3, 1, 2}, []int{2, 1, 2}, "expected a mask of rank 4"},
	} {
		_, err := CallOnceN(testbackend.New(t), func(in []*Node) []*Node {
			return []*Node{RelativeL2(in[0], in[1], in[2])}
		}, testbackend.Normal("p", 2, 3, 1, 2), testbackend.Normal("t", c.target...), testbackend.Normal("m", c.mask...))
		require.ErrorContains(t, err, c.text)
	}
}
