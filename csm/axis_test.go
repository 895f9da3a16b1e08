package csm

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestLayoutEveryStride sweeps every pair of strides, including those that the planner
// would not choose, for several kernels.
func TestLayoutEveryStride(t *testing.T) {
	lengths := []int{8, 9, 15, 16, 31, 32, 33, 64, 97, 100, 127, 256, 384}
	for _, kernel := range [][2]int{{8, 4}, {4, 4}, {7, 3}, {3, 8}, {1, 1}} {
		for s1 := 1; s1 <= kernel[0]; s1++ {
			for s2 := 1; s2 <= kernel[1]; s2++ {
				for _, n := range lengths {
					for _, b := range testBoundaries {
						for _, jitter := range []bool{false, true} {
							requireSound(t, layout(n, b, kernel, [2]int{s1, s2}, jitter), jitter)
						}
					}
				}
			}
		}
	}
}

// TestPlannedAxes plans every length from 8 to 600.
func TestPlannedAxes(t *testing.T) {
	for _, target := range []int{1, 5, 8, 16, 32, 64} {
		for n := minLength; n <= 600; n++ {
			for _, b := range testBoundaries {
				for _, jitter := range []bool{false, true} {
					plan, err := NewPlan([]int{n}, data.Boundaries{b},
						Options{Tokens: [3]int{target, target, target}, NoJitter: !jitter})
					require.NoError(t, err)
					a := plan.Axes[0]
					requireSound(t, a, jitter)
					if a.Wrap && max(a.PadLow, a.PadHigh) > n {
						t.Fatalf("%+v: padding copies a point twice", a)
					}
					requireNearTarget(t, a, target)
				}
			}
		}
	}
}

var testBoundaries = []data.Boundary{
	data.Both(data.Periodic),
	{Low: data.Wall, High: data.Open},
}

// requireSound checks the invariants of the package comment. It uses plain conditions
// because the sweeps call it hundreds of thousands of times.
func requireSound(t *testing.T, a Axis, jitter bool) {
	t.Helper()
	pEff := a.Kernel[0] + a.Stride[0]*(a.Kernel[1]-1)
	sEff := a.Stride[0] * a.Stride[1]
	for _, c := range []struct {
		ok   bool
		what string
	}{
		{a.PadLow >= 0 && a.PadHigh >= 0, "padding is not negative"},
		{a.PadLow+a.Length+a.PadHigh == a.Padded, "padding adds up"},
		{a.Padded == pEff+(a.Tokens-1)*sEff, "tokens cover the padded axis exactly"},
		{(a.Padded-a.Kernel[0])%a.Stride[0] == 0, "the first convolution drops nothing"},
		{(a.Padded-a.Kernel[0])/a.Stride[0]+1 == a.Conv1, "length after the first convolution"},
		{(a.Conv1-a.Kernel[1])%a.Stride[1] == 0, "the second convolution drops nothing"},
		{(a.Conv1-a.Kernel[1])/a.Stride[1]+1 == a.Tokens, "length after the second convolution"},
		{a.Decoded == a.Padded, "the decoder returns the padded axis"},
		{a.Wrap == a.Boundary.IsPeriodic(), "periodic axes wrap, others do not"},
		{a.PeriodicTokens == (a.Wrap && a.Length%sEff == 0), "tokens close where the patch divides"},
		{!a.PeriodicTokens || a.Tokens*sEff == a.Length, "one turn of tokens is one turn of points"},
		{a.Wrap && !a.PeriodicTokens || abs(a.PadHigh-a.extension()-a.PadLow) <= 1, "padding of the extended axis is even"},
		{jitter && sEff > 1 || a.ShiftBound == 0, "no shift without jitter or of single points"},
		{a.Wrap || a.ShiftBound <= min(a.PadLow, a.PadHigh), "a shift keeps every point"},
		{!a.Wrap || a.PadLow <= a.PadHigh, "wrapping copies no less at the high end"},
		{!jitter || sEff == 1 || !a.Wrap || a.ShiftBound == a.Length/2, "a periodic shift goes up to half way round"},
	} {
		if !c.ok {
			t.Fatalf("%+v, jitter %v: violated: %s", a, jitter, c.what)
		}
	}
	requireSeen(t, a)
}

// requireSeen counts the tokens that see each point. Every point must be seen; on a wrapped
// axis without jitter, as often as in an infinite row of tokens.
func requireSeen(t *testing.T, a Axis) {
	t.Helper()
	pEff := a.Kernel[0] + a.Stride[0]*(a.Kernel[1]-1)
	seen := make([]int, a.Padded)
	endless := make([]int, a.Padded) // depends only on the phase of the windows
	for w := -pEff / a.Patch() * a.Patch(); w < a.Padded; w += a.Patch() {
		whole := w >= 0 && w+pEff <= a.Padded
		for x := max(w, 0); x < min(w+pEff, a.Padded); x++ {
			endless[x]++
			if whole {
				seen[x]++
			}
		}
	}
	for x := a.PadLow; x < a.PadLow+a.Length; x++ {
		if seen[x] == 0 {
			t.Fatalf("%+v: no token sees point %d", a, x-a.PadLow)
		}
		if a.Wrap && !a.PeriodicTokens && seen[x] != endless[x] {
			t.Fatalf("%+v: point %d is seen %d times, expected %d", a, x-a.PadLow, seen[x], endless[x])
		}
	}
}

// requireNearTarget: with patches up to 32, the number of tokens is within a factor of two
// of a reachable target, unless the axis is periodic, where dividing it evenly may be worth
// more.
func requireNearTarget(t *testing.T, a Axis, target int) {
	t.Helper()
	patches := ceilDiv(a.Length, a.Patch())
	if a.Wrap || a.Length < target || a.Length > 32*target {
		return
	}
	if math.Abs(math.Log2(float64(patches)/float64(target))) > 1 {
		t.Fatalf("%+v: %d patches for a target of %d", a, patches, target)
	}
}

// TestShiftOfOddPadding: with an odd overlap the low end has one point less, and the shift
// is bounded by the smaller side.
func TestShiftOfOddPadding(t *testing.T) {
	a := layout(96, data.Both(data.Wall), [2]int{8, 4}, [2]int{3, 2}, true)
	require.Equal(t, [3]int{8, 9, 8}, [3]int{a.PadLow, a.PadHigh, a.ShiftBound}, "p_eff 17, s_eff 6, one token more")
	require.Equal(t, 17, a.Tokens)
}

// TestWrappedPlainEnds checks one axis computed by hand: 101 points, strides 2×2, p_eff 14,
// overlap 10, hence ⌈111/4⌉ = 28 tokens over 14+27·4 = 122 points.
func TestWrappedPlainEnds(t *testing.T) {
	a := layout(101, data.Both(data.Periodic), [2]int{8, 4}, [2]int{2, 2}, true)
	require.True(t, a.Wrap)
	require.False(t, a.PeriodicTokens)
	require.Equal(t, "28 tokens, 10+11 of 122, shift 50",
		fmt.Sprintf("%d tokens, %d+%d of %d, shift %d", a.Tokens, a.PadLow, a.PadHigh, a.Padded, a.ShiftBound))
}

// TestWrapsOnce: 10 points with strides 5×1 make two tokens, fewer than the three that the
// decoder's kernel of 4 needs; with strides 8×1, the padding of the 8 points would be 12.
func TestWrapsOnce(t *testing.T) {
	ring, kernel := data.Both(data.Periodic), [2]int{8, 4}
	for _, tc := range []struct {
		n      int
		stride [2]int
		b      data.Boundary
		want   bool
	}{
		{10, [2]int{5, 1}, ring, false},
		{15, [2]int{5, 1}, ring, true},
		{8, [2]int{8, 1}, ring, false},
		{8, [2]int{8, 1}, data.Both(data.Wall), true},
		{9, [2]int{2, 2}, ring, false}, // plain ends: 10 points at the low end
		{17, [2]int{2, 2}, ring, true},
	} {
		require.Equal(t, tc.want, layout(tc.n, tc.b, kernel, tc.stride, true).wrapsOnce(), "%d points, strides %v", tc.n, tc.stride)
	}
	plan, err := NewPlan([]int{10}, data.Boundaries{ring}, Options{Tokens: [3]int{2, 2, 2}})
	require.NoError(t, err)
	require.NotEqual(t, [2]int{5, 1}, plan.Axes[0].Stride, "the planner passes over strides that wrap twice")
}

func abs(x int) int { return max(x, -x) }
