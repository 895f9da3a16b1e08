package unfold

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// TestOf counts the patches of a 2D plan by hand.
func TestOf(t *testing.T) {
	plan, err := csm.NewPlan([]int{32, 32}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, csm.Options{Tokens: [3]int{8, 8, 8}, Kernel: [2]int{8, 4}})
	require.NoError(t, err)
	for which := range 2 {
		p, n, wrapped := Of(plan, which), 1, 1
		for _, a := range plan.Axes[:2] {
			places := [2]int{a.Conv1, a.Tokens}[which]
			n *= places
			if a.PeriodicTokens {
				places += 2 * ((a.Kernel[which]+a.Stride[which]-1)/a.Stride[which] - 1)
			}
			wrapped *= places
		}
		require.EqualValues(t, n, p.Places)
		require.EqualValues(t, wrapped, p.Wrapped)
		require.Greater(t, p.Reached, p.Wrapped)
		operand, result := p.Widths(3, 16, false)
		require.Positive(t, operand)
		require.Positive(t, result)
	}
	require.Equal(t, 1, Overhang(4, 2))
	require.Equal(t, 0, Overhang(4, 4))
	require.Equal(t, 0, Overhang(4, 0))
}
