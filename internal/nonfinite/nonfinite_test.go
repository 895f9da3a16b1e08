package nonfinite

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirst(t *testing.T) {
	tiny := math.Float32frombits(1) // the smallest value above 0
	all := []float32{0, float32(math.Copysign(0, -1)), 1, -1, tiny, -tiny, math.MaxFloat32, -math.MaxFloat32}
	require.Equal(t, -1, First(nil))
	require.Equal(t, -1, First(all))
	for _, bad := range []float32{float32(math.NaN()), math.Float32frombits(0xff800001), float32(math.Inf(1)), float32(math.Inf(-1))} {
		for at := range all {
			values := append(append(append([]float32{}, all[:at]...), bad), all[at:]...)
			require.Equal(t, at, First(values), "%v", bad)
			require.Equal(t, at, First(append(values, bad)), "%v", bad)
		}
	}
}
