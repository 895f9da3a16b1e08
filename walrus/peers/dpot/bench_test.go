package dpot

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// BenchmarkTi forecasts one frame of 128 × 128 points with DPOT-Ti.
func BenchmarkTi(b *testing.B) {
	e, err := NewEmulator(initialized(b, Ti()), testbackend.New(b))
	require.NoError(b, err)
	defer e.Close()
	shape := []int{1, 128, 128, 10, 4}
	x := values("x", product(shape))
	step := func() {
		for _, err := range e.Rollout(b.Context(), x, shape, 1) {
			require.NoError(b, err)
		}
	}
	step() // compiles
	for b.Loop() {
		step()
	}
}
