package solve

import (
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPairs: transforming two fields at once gives the results of separate transforms.
func TestPairs(t *testing.T) {
	rng := generator()
	for _, n := range [][]int{{8, 12}, {10, 8, 6}} {
		b := newPeriodic(n, same(len(n), 2.0))
		var fields [][]float64
		var alone, together [][]complex128
		for range 3 {
			f := make([]float64, b.points)
			for i := range f {
				f[i] = rng.NormFloat64()
			}
			fields, alone, together = append(fields, f), append(alone, b.forward(nil, f)), append(together, make([]complex128, b.points))
		}
		b.forwards(together, fields)
		back, slopes := b.scratch(3), b.scratch(len(n))
		b.inverses(back, together)
		b.gradient(slopes, alone[2])
		for f := range fields {
			assert.Less(t, distance(fields[f], back[f]), 1e-14)
			for i, v := range alone[f] {
				require.InDelta(t, 0, cmplx.Abs(v-together[f][i]), 1e-12)
			}
		}
		for axis, slope := range slopes {
			assert.Less(t, distance(b.derivative(nil, alone[2], axis), slope), 1e-12)
		}
	}
}
