package quantile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	three := []float32{1, 2, 3}
	for p, want := range map[float64]float32{0: 1, 0.1: 1, 0.25: 1, 0.375: 1.5, 0.5: 2, 0.6875: 2.75, 0.75: 3, 0.9: 3, 1: 3} {
		require.Equal(t, want, Of(three, p), "p %v", p)
	}
	require.Equal(t, float32(7), Of([]float32{7}, 0.3))
	require.Zero(t, Of(nil, 0.5))
}
