package fft

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTransform compares with the sum over all points, and inverts.
func TestTransform(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, grid := range [][]int{{5}, {4, 3}, {2, 1, 6}} {
		n := 1
		for _, d := range grid {
			n *= d
		}
		values := make([]complex128, n)
		for i := range values {
			values[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
		got := append([]complex128{}, values...)
		Transform(got, grid)
		for k := range got {
			want := complex128(0)
			for x, v := range values {
				phase := 0.0
				for a := range grid {
					at := Mode(x, grid, a) // the position, up to whole periods
					phase += float64(Mode(k, grid, a)*at) / float64(grid[a])
				}
				want += v * cmplx.Rect(1, -2*math.Pi*phase)
			}
			require.InDelta(t, 0, cmplx.Abs(want-got[k]), 1e-12, "%v mode %d", grid, k)
		}
		Invert(got, grid)
		for i, v := range values {
			require.InDelta(t, 0, cmplx.Abs(v-got[i]), 1e-14)
		}
	}
}

func TestMode(t *testing.T) {
	var rows, columns []int
	for i := range 15 {
		rows, columns = append(rows, Mode(i, []int{3, 5}, 0)), append(columns, Mode(i, []int{3, 5}, 1))
	}
	require.Equal(t, []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}, rows)
	require.Equal(t, []int{0, 1, 2, -2, -1}, columns[5:10])
	require.Equal(t, 2, Mode(2, []int{4}, 0), "the highest mode of an even number of points is positive")
}
