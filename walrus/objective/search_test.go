package objective_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/optimize"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/objective"
)

// TestSearch: value and gradient of one point cost one evaluation; a diverged forecast is an
// infinite value, and another error ends the search.
func TestSearch(t *testing.T) {
	calls := 0
	failed := errors.New("the power failed")
	s := objective.NewSearch(func(x []float64) (float64, []float64, error) {
		calls++
		switch {
		case x[0] > 10:
			return 0, nil, fmt.Errorf("step 3: %w", walrus.ErrDiverged)
		case x[0] < -10:
			return 0, nil, failed
		}
		return (x[0] - 3) * (x[0] - 3), []float64{2 * (x[0] - 3)}, nil
	})
	x, g := []float64{1}, []float64{7}
	require.Equal(t, 4., s.Value(x))
	s.Gradient(g, x)
	require.Equal(t, []float64{-4}, g)
	require.Equal(t, 1, calls)
	x[0] = 2
	require.Equal(t, 1., s.Value(x))
	require.Equal(t, 2, calls, "the caller may change its slice")
	require.Equal(t, math.Inf(1), s.Value([]float64{11}))
	s.Gradient(g, []float64{11})
	require.Equal(t, []float64{0}, g)
	require.NoError(t, s.Err())

	found, err := optimize.Minimize(optimize.Problem{Func: s.Value, Grad: s.Gradient}, []float64{9}, nil, &optimize.LBFGS{})
	require.NoError(t, err)
	require.InDelta(t, 3, found.X[0], 1e-6)

	require.True(t, math.IsNaN(s.Value([]float64{-11})))
	require.ErrorIs(t, s.Err(), failed)
	require.True(t, math.IsNaN(s.Value([]float64{1})))
	none := objective.NewSearch(nil)
	require.True(t, math.IsNaN(none.Value(nil)))
	require.ErrorContains(t, none.Err(), "expected a function")
}
