package data

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCutCount(t *testing.T) {
	for _, c := range []struct {
		cut         Cut
		steps, want int
	}{
		{Cut{Input: 6, Output: 1}, 30, 24},
		{Cut{Input: 6, Output: 1}, 7, 1},
		{Cut{Input: 6, Output: 1}, 6, 0},
		{Cut{Input: 6, Output: 1}, 0, 0},
		{Cut{Input: 3, Output: 2, MinStride: 2}, 18, 10},
		{Cut{Input: 6, Output: 1, MinStride: 1, MaxStride: 5}, 30, 24},
	} {
		assert.Equal(t, c.want, c.cut.Count(c.steps), "%+v of %d", c.cut, c.steps)
		// By definition: count the frames at which a window can start.
		n, frames := 0, c.cut.Frames()
		for start := range c.steps {
			if start+(frames-1)*max(c.cut.MinStride, 1) < c.steps {
				n++
			}
		}
		assert.Equal(t, n, c.cut.Count(c.steps))
	}
}

func TestCutStride(t *testing.T) {
	cut := Cut{Input: 6, Output: 1, MinStride: 1, MaxStride: 5}
	rng := rand.New(rand.NewPCG(1, 2))
	for start := range 24 {
		lo, hi := cut.StrideRange(30, start)
		assert.Equal(t, 1, lo)
		assert.Equal(t, min(5, max(1, (30-start-1)/6)), hi)
		counts := map[int]int{}
		for range 2000 {
			s := cut.Stride(rng, 30, start)
			require.Less(t, start+6*s, 30)
			counts[s]++
		}
		assert.Len(t, counts, hi-lo+1, "every stride is drawn")
		for s, n := range counts {
			assert.InDelta(t, 2000/(hi-lo+1), n, 200, "stride %d from %d", s, start)
		}
	}
}

func TestCutValidate(t *testing.T) {
	assert.NoError(t, Cut{Input: 1, Output: 1}.Validate())
	for _, bad := range []Cut{{}, {Input: 1}, {Output: 1}, {Input: 1, Output: 1, MinStride: -1}, {Input: 1, Output: 1, MinStride: 3, MaxStride: 2}} {
		assert.ErrorContains(t, bad.Validate(), "data: cut: expected ", "%+v", bad)
	}
}

func TestWindowsOrder(t *testing.T) {
	ds := count(t, 9, 8, 12)
	w, err := NewWindows(ds, Cut{Input: 6, Output: 1})
	require.NoError(t, err)
	assert.Equal(t, 3+2+6, w.Len())
	var got []Span
	for i := range w.Len() {
		got = append(got, w.Span(i, 1))
	}
	var want []Span
	for trajectory, n := range []int{3, 2, 6} {
		for start := range n {
			want = append(want, Span{trajectory, start, 1, 7})
		}
	}
	assert.Equal(t, want, got)
	_, err = NewWindows(count(t, 9, 6), Cut{Input: 6, Output: 1})
	assert.EqualError(t, err, "data: count: trajectory 1 has 6 frames: expected at least 7 for windows of 6+1 frames at stride 1")
	_, err = NewWindows(ds, Cut{})
	assert.Error(t, err)
}

func TestFullTrajectories(t *testing.T) {
	ds := count(t, 30, 25)
	spans, err := FullTrajectories(ds, Horizon{Input: 6})
	require.NoError(t, err)
	assert.Equal(t, []Span{{0, 0, 1, 25}, {1, 0, 1, 25}}, spans)
	// docs/reference.md §10: evaluation forecasts from frame 17 on, with frames 11 to 16 as
	// history.
	spans, err = FullTrajectories(ds, Horizon{Input: 6, Start: 17})
	require.NoError(t, err)
	assert.Equal(t, Span{1, 11, 1, 6 + 8}, spans[1])
	spans, err = FullTrajectories(ds, Horizon{Input: 3, Stride: 2, MaxOutput: 4})
	require.NoError(t, err)
	assert.Equal(t, Span{0, 0, 2, 7}, spans[0])
	for _, h := range []Horizon{{Input: 25}, {Input: 6, Start: 25}, {Input: 6, Start: 5}, {}} {
		_, err = FullTrajectories(ds, h)
		assert.ErrorContains(t, err, "count: trajectory 1 has 25 frames: cannot take", "%+v", h)
	}
}
