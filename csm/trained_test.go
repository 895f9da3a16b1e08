package csm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// listed returns options with the few strides of a small trained network.
func listed(dims int) Options {
	o := Options{Kernel: [2]int{4, 4}, Tokens: [3]int{14, 14, 8}, Strides: [][2]int{{1, 2}, {2, 2}, {2, 4}}}
	if dims == 3 {
		o.Strides = o.Strides[:2]
	}
	return o
}

var everyBoundary = []data.Boundary{data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open), {Low: data.Wall, High: data.Open}}

// TestPlanTakesTrainedStrides: grids of all lengths get strides of the list, with plans
// that cover the axis exactly and copy no point twice.
func TestPlanTakesTrainedStrides(t *testing.T) {
	for _, tc := range []struct{ dims, longest, most int }{{1, 128, 24}, {2, 128, 24 * 24}, {3, 32, manyTokens}} {
		for _, b := range everyBoundary {
			for _, still := range []bool{false, true} {
				t.Run(fmt.Sprintf("%dD/%v/still=%v", tc.dims, b, still), func(t *testing.T) {
					o := listed(tc.dims)
					o.NoJitter = still
					for n := minLength; n <= tc.longest; n++ {
						plan := cube(t, n, b, tc.dims, o)
						assert.LessOrEqual(t, plan.Tokens(), tc.most, "%d points", n)
						for _, a := range plan.Axes[:tc.dims] {
							assert.Contains(t, o.Strides, a.Stride, "%d points", n)
							checkLegal(t, a)
						}
					}
				})
			}
		}
	}
}

func cube(t *testing.T, n int, b data.Boundary, dims int, o Options) *Plan {
	t.Helper()
	var grid []int
	var bcs data.Boundaries
	for range dims {
		grid, bcs = append(grid, n), append(bcs, b)
	}
	plan, err := NewPlan(grid, bcs, o)
	require.NoError(t, err)
	return plan
}

// checkLegal checks the equations between the lengths of an axis.
func checkLegal(t *testing.T, a Axis) {
	t.Helper()
	assert.Equal(t, a.Padded, a.PadLow+a.Length+a.PadHigh, "%v", a)
	assert.Equal(t, a.Padded, (a.Conv1-1)*a.Stride[0]+a.Kernel[0], "%v", a)
	assert.Equal(t, a.Conv1, (a.Tokens-1)*a.Stride[1]+a.Kernel[1], "%v", a)
	assert.GreaterOrEqual(t, a.Tokens, 2, "%v: the decoder takes one token for a missing axis", a)
	assert.GreaterOrEqual(t, min(a.PadLow, a.PadHigh), 0, "%v", a)
	assert.LessOrEqual(t, a.ShiftBound, a.Length, "%v", a)
	assert.True(t, a.wrapsOnce(), "%v", a)
	if a.Boundary.IsPeriodic() {
		assert.Equal(t, a.Length%a.Patch() == 0, a.PeriodicTokens, "%v", a)
		assert.LessOrEqual(t, max(a.PadLow, a.PadHigh), a.Length, "%v", a)
	}
}

// TestPlanKeepsTokensFew: no combination of lengths exceeds the maximum number of tokens as
// long as larger trained patches exist; without any, a large cube keeps its tokens.
func TestPlanKeepsTokensFew(t *testing.T) {
	o := listed(3)
	for _, bc := range []data.BC{data.Periodic, data.Wall} {
		for x := minLength; x <= 32; x++ {
			for y := x; y <= 32; y++ {
				for z := y; z <= 32; z++ {
					plan, err := NewPlan([]int{x, y, z}, uniform(bc, 3), o)
					require.NoError(t, err)
					require.LessOrEqual(t, plan.Tokens(), manyTokens, "%v %v", plan.Grid(), bc)
				}
			}
		}
	}
	ring := data.Both(data.Periodic)
	assert.Equal(t, [3]int{8, 8, 8}, cube(t, 26, ring, 3, o).TokenGrid(), "13³ with closed tokens would be 2197")
	assert.Contains(t, cube(t, 26, ring, 3, o).Axes[0].Reason, "smaller patches make more than 2000 tokens of a frame.")
	assert.Equal(t, [3]int{16, 16, 16}, cube(t, 64, ring, 3, o).TokenGrid(), "no larger patch was trained")
	plan, err := NewPlan([]int{26, 26, 16}, uniform(data.Periodic, 3), o)
	require.NoError(t, err)
	assert.Equal(t, [3]int{13, 13, 8}, plan.TokenGrid(), "1352 tokens are not too many")
	assert.Equal(t, [3]int{16, 16, 16}, cube(t, 256, ring, 3, Options{}).TokenGrid(), "the release's plans stay as they are")
}

// TestUntrainedStrides: if no listed pair fits an axis, the plan uses another pair and says
// so. A listed pair has priority over a released pair that is not listed.
func TestUntrainedStrides(t *testing.T) {
	o := Options{Kernel: [2]int{8, 4}, Strides: [][2]int{{8, 4}}}
	plan := cube(t, 8, data.Both(data.Periodic), 2, o)
	assert.NotEqual(t, [2]int{8, 4}, plan.Axes[0].Stride, "8 points cannot be wrapped for a patch of 32")
	assert.Contains(t, plan.Describe(), "with strides these weights were not trained on")
	plan = cube(t, 256, data.Both(data.Wall), 2, Options{Strides: [][2]int{{2, 2}}})
	assert.Equal(t, [2]int{2, 2}, plan.Axes[0].Stride)
	assert.False(t, plan.Released())
	assert.Contains(t, plan.Axes[0].Reason, "These weights were not trained on the strides of the release; a patch of 4")
	assert.NotContains(t, plan.Axes[0].Reason, "with strides")
	_, err := NewPlan([]int{32}, uniform(data.Wall, 1), Options{Strides: [][2]int{{9, 1}}})
	require.ErrorContains(t, err, "strides: expected pairs from 1, 1 to the kernels 8, 4, got 9, 1")
}
