package csm

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func TestNewPlanRefuses(t *testing.T) {
	wall := data.Both(data.Wall)
	for _, tc := range []struct {
		name string
		grid []int
		bcs  data.Boundaries
		o    Options
		want string
	}{
		{"short axis", []int{256, 7}, uniform(data.Wall, 2), Options{}, "axis 1 has 7 points: expected 1 or at least 8"},
		{"two points", []int{2}, uniform(data.Wall, 1), Options{}, "axis 0 has 2 points"},
		{"empty axis", []int{0, 32}, uniform(data.Wall, 2), Options{}, "axis 0 has 0 points"},
		{"negative axis", []int{32, -32}, uniform(data.Wall, 2), Options{}, "axis 1 has -32 points"},
		{"no axes", nil, nil, Options{}, "expected 1 to 3 axes, got 0"},
		{"four axes", []int{16, 16, 16, 16}, uniform(data.Wall, 4), Options{}, "expected 1 to 3 axes, got 4"},
		{"single points only", []int{1, 1}, uniform(data.Wall, 2), Options{}, "expected at least one axis longer than 1"},
		{"too many points", []int{1 << 30, 1 << 30}, uniform(data.Wall, 2), Options{}, "at most 2^50 points"},
		{"no boundaries", []int{32, 32}, nil, Options{}, "expected one per axis (2), got 0"},
		{"boundary left out", []int{32, 32}, uniform(data.Wall, 1), Options{}, "expected one per axis (2), got 1"},
		{"boundary too many", []int{32}, uniform(data.Wall, 2), Options{}, "expected one per axis (1), got 2"},
		{"boundary unset", []int{32, 32}, data.Boundaries{wall, {}}, Options{}, "axis 1: boundary of the low end is not set"},
		{"one end unset", []int{32}, data.Boundaries{{Low: data.Open}}, Options{}, "boundary of the high end is not set"},
		{"half periodic", []int{32}, data.Boundaries{{Low: data.Periodic, High: data.Wall}}, Options{}, "periodic at both ends or at none"},
		{"boundary of a single point unset", []int{32, 1}, data.Boundaries{wall, {}}, Options{}, "axis 1: boundary"},
		{"negative target", []int{32}, uniform(data.Wall, 1), Options{Tokens: [3]int{32, -1, 16}}, "2-dimensional grids: expected at least 1"},
		{"target partly set", []int{32}, uniform(data.Wall, 1), Options{Tokens: [3]int{64}}, "all three left zero"},
		{"kernel partly set", []int{32}, uniform(data.Wall, 1), Options{Kernel: [2]int{8, 0}}, "kernel of convolution 2: expected 1 to 64"},
		{"negative kernel", []int{32}, uniform(data.Wall, 1), Options{Kernel: [2]int{-8, 4}}, "kernel of convolution 1: expected 1 to 64"},
		{"huge kernel", []int{32}, uniform(data.Wall, 1), Options{Kernel: [2]int{8, 1 << 40}}, "kernel of convolution 2: expected 1 to 64"},
		{"kernel too large for a ring", []int{32, 8}, uniform(data.Periodic, 2), Options{Kernel: [2]int{32, 8}}, "axis 1 has 8 points, is periodic and too short for kernels 32 and 8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := NewPlan(tc.grid, tc.bcs, tc.o)
			require.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, "csm: ")
			assert.Nil(t, plan)
		})
	}
}

func TestPlanOfMissingAxes(t *testing.T) {
	plan, err := NewPlan([]int{128, 1}, data.Boundaries{data.Both(data.Wall), data.Both(data.Open)}, Options{})
	require.NoError(t, err)
	assert.Equal(t, 2, plan.Rank)
	assert.Equal(t, 1, plan.Dims)
	assert.Equal(t, [3]int{128, 1, 1}, plan.Grid())
	assert.Equal(t, [3]int{33, 1, 1}, plan.TokenGrid())
	assert.Equal(t, 33, plan.Tokens())
	assert.Equal(t, "open", plan.Axes[1].Boundary.String(), "the caller's")
	assert.Equal(t, "periodic", plan.Axes[2].Boundary.String(), "an axis that was added")
	for _, a := range plan.Axes[1:] {
		assert.Equal(t, [2]int{1, 1}, a.Kernel)
		assert.False(t, a.Wrap || a.PeriodicTokens)
		assert.Zero(t, a.ShiftBound)
		assert.True(t, a.Released)
	}
	assert.Equal(t, Options{Tokens: [3]int{32, 32, 16}, Kernel: [2]int{8, 4}}, plan.Options, "defaults filled in")
}

// TestPlanDimensionPicksTarget: the same axis gets more tokens in 2D than in 3D; single
// points do not count as dimensions.
func TestPlanDimensionPicksTarget(t *testing.T) {
	for _, tc := range []struct {
		grid   []int
		tokens [3]int
	}{
		{[]int{256}, [3]int{32, 1, 1}},
		{[]int{256, 256}, [3]int{32, 32, 1}},
		{[]int{256, 1, 256}, [3]int{32, 1, 32}},
		{[]int{256, 256, 256}, [3]int{16, 16, 16}},
	} {
		plan, err := NewPlan(tc.grid, uniform(data.Periodic, len(tc.grid)), Options{})
		require.NoError(t, err)
		assert.Equal(t, tc.tokens, plan.TokenGrid(), "grid %v", tc.grid)
	}
}

// TestPlanOfUnevenGrids checks plans of grids that the release refuses.
func TestPlanOfUnevenGrids(t *testing.T) {
	for _, tc := range []struct {
		name           string
		n              int
		bc             data.BC
		stride         [2]int
		padLow, padHi  int
		tokens         int
		periodicTokens bool
	}{
		{"shortest", 8, data.Wall, [2]int{1, 1}, 5, 5, 8, false},
		{"half a released patch", 64, data.Wall, [2]int{2, 1}, 7, 7, 33, false},
		{"64 closes", 64, data.Periodic, [2]int{2, 1}, 6, 6, 32, true},
		{"one too many", 257, data.Wall, [2]int{4, 2}, 10, 17, 34, false},
		{"prime ring", 257, data.Periodic, [2]int{4, 2}, 12, 15, 34, false},
		{"14 tokens too many cost more than 9 too few", 46, data.Wall, [2]int{2, 1}, 7, 7, 24, false},
		{"walls: nearest patch", 110, data.Wall, [2]int{2, 2}, 7, 9, 29, false},
		{"ring: nearest patch that closes", 110, data.Periodic, [2]int{5, 1}, 9, 9, 22, true},
		{"very long", 1 << 20, data.Wall, [2]int{8, 4}, 16, 16, 32769, false},
	} {
		plan, err := NewPlan([]int{tc.n, 32}, uniform(tc.bc, 2), Options{})
		require.NoError(t, err, tc.name)
		a := plan.Axes[0]
		assert.Equal(t, tc.stride, a.Stride, tc.name)
		assert.Equal(t, [2]int{tc.padLow, tc.padHi}, [2]int{a.PadLow, a.PadHigh}, tc.name)
		assert.Equal(t, tc.tokens, a.Tokens, tc.name)
		assert.Equal(t, tc.periodicTokens, a.PeriodicTokens, tc.name)
		assert.False(t, a.Released, tc.name)
		assert.True(t, plan.Axes[1].Released, tc.name)
	}
}

func BenchmarkNewPlan(b *testing.B) {
	for _, bm := range []struct {
		name string
		grid []int
	}{
		{"released", []int{256, 512, 128}},
		{"weighed", []int{255, 511, 127}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			bcs := uniform(data.Wall, 3)
			for b.Loop() {
				if _, err := NewPlan(bm.grid, bcs, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestGridError: errors.As finds a refused grid and its axis, and no other mistake.
func TestGridError(t *testing.T) {
	for _, c := range []struct {
		grid []int
		bcs  data.Boundaries
		o    Options
		axis int
	}{
		{[]int{256, 7}, uniform(data.Wall, 2), Options{}, 1},
		{[]int{32, 8}, uniform(data.Periodic, 2), Options{Kernel: [2]int{32, 8}}, 1},
		{nil, nil, Options{}, -1},
		{[]int{1, 1}, uniform(data.Wall, 2), Options{}, -1},
		{[]int{1 << 30, 1 << 30}, uniform(data.Wall, 2), Options{}, -1},
	} {
		_, err := NewPlan(c.grid, c.bcs, c.o)
		var e *GridError
		require.ErrorAs(t, fmt.Errorf("input: %w", err), &e, "%v", err)
		assert.Equal(t, c.grid, e.Grid)
		assert.Equal(t, c.axis, e.Axis, "%v", err)
	}
	_, err := NewPlan([]int{32}, nil, Options{})
	assert.False(t, errors.As(err, new(*GridError)), "the boundaries are missing, the grid is good: %v", err)
}
