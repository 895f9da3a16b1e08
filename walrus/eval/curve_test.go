package eval

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBaselines(t *testing.T) {
	history := [][]float32{{9, 9}, {1, 2}, {3, 1}}
	p, err := Persistence(history, 2)
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{3, 1}, {3, 1}}, p)
	p[0][0] = 100
	assert.Equal(t, float32(3), history[2][0], "a forecast does not share the history's memory")
	l, err := Linear(history, 3)
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{5, 0}, {7, -1}, {9, -2}}, l)
}

func TestBaselinesRefuse(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name    string
		history [][]float32
		steps   int
		want    string
	}{
		{"short", [][]float32{{1}}, 1, "at least 2 frames, got 1"},
		{"no steps", [][]float32{{1}, {2}}, 0, "expected 1 to 16777216, got 0"},
		{"ragged", [][]float32{{1, 2}, {2}}, 1, "expected 2 values in frame 1"},
		{"empty", [][]float32{{}, {}}, 1, "at least one"},
		{"nan", [][]float32{{1}, {nan}}, 1, "got NaN in frame 1"},
	} {
		_, err := Linear(c.history, c.steps)
		require.ErrorContains(t, err, c.want, c.name)
	}
	_, err := Persistence(nil, 1)
	require.ErrorContains(t, err, "at least 1 frames")
}

func TestPerStep(t *testing.T) {
	ref := [][]float32{{0, 0, 1, 1}, {0, 0, 1, 1}}
	pred := [][]float32{{0, 0, 1, 3}, {2, 0, 1, 1}}
	got, err := PerStep(MAE, pred, ref, 2)
	require.NoError(t, err)
	assert.Equal(t, [][]float64{{0, 1}, {1, 0}}, got)
	assert.Equal(t, []float64{0.5, 0.5}, MeanFields(got))

	for _, c := range []struct {
		name      string
		pred, ref [][]float32
		channels  int
		want      string
	}{
		{"steps", pred[:1], ref, 2, "got 1 and 2"},
		{"none", nil, nil, 2, "at least 1"},
		{"channels", pred, ref, 3, "step 1: expected a frame of 3 equal channels, got 4"},
		{"zero channels", pred, ref, 0, "0 equal channels"},
		{"lengths", [][]float32{{1, 2}, {1, 2}}, ref, 2, "step 1: expected forecast and truth of one length, got 2 and 4"},
		{"nan", [][]float32{{0, 0, 1, 1}, {0, 0, 1, float32(math.NaN())}}, ref, 2, "step 2: channel 1"},
	} {
		_, err := PerStep(MAE, c.pred, c.ref, c.channels)
		require.ErrorContains(t, err, c.want, c.name)
	}
}

func TestMeanAndMedian(t *testing.T) {
	v := []float64{5, 1, 3}
	assert.Equal(t, 3.0, Mean(v))
	assert.Equal(t, 3.0, Median(v))
	assert.Equal(t, []float64{5, 1, 3}, v)
	assert.Equal(t, 2.5, Median([]float64{4, 1, 2, 3}))
	assert.Zero(t, Mean(nil))
	assert.Zero(t, Median(nil))
}

// Bounds never fall, start at 0 and 1, and end at n, or at n-1 if exp(ln n) rounds
// down.
func TestIntervalBoundsProperties(t *testing.T) {
	short := 0
	for n := 1; n <= 250; n++ {
		for _, k := range []int{1, 2, 5, 9} {
			b, err := IntervalBounds(n, k)
			require.NoError(t, err)
			require.Len(t, b, min(n, k)+1)
			require.IsNonDecreasing(t, b)
			require.Equal(t, []int{0, 1}, b[:2])
			if k == 5 && n > 1 {
				require.Contains(t, []int{n, n - 1}, b[len(b)-1])
				short += n - b[len(b)-1]
			}
		}
	}
	assert.Positive(t, short, "expected some n at which the last step is lost, as in the reference")
	for _, bad := range [][2]int{{0, 5}, {-1, 5}, {5, 0}} {
		_, err := IntervalBounds(bad[0], bad[1])
		require.Error(t, err)
	}
}

func TestSplitLeavesOutEmptyIntervals(t *testing.T) {
	parts, all, err := Split([][]float64{{1, 2}, {3, 4}, {5, 6}}, 5) // bounds 0 1 1 3
	require.NoError(t, err)
	assert.Equal(t, []IntervalMean{
		{From: 0, To: 1, Fields: []float64{1, 2}, Full: 1.5},
		{From: 1, To: 3, Fields: []float64{4, 5}, Full: 4.5},
	}, parts)
	assert.InDeltaSlice(t, []float64{3, 4}, all.Fields, 1e-15)
	_, _, err = Split([][]float64{{1, 2}, {3}}, 5)
	require.ErrorContains(t, err, "expected 2 fields at step 2")
	_, _, err = Split(nil, 5)
	require.Error(t, err)
}

// The rounded functions agree with package math except for the last bits, and their
// common constant is right to 46 digits.
func TestRoundedFunctions(t *testing.T) {
	for n := 1; n <= 5000; n += 7 {
		l := logInt(n)
		require.InDelta(t, math.Log(float64(n)), l, 2e-15)
		require.InEpsilon(t, math.Exp(l), expRounded(l), 1e-15)
	}
	// ln 2 to 50 digits, OEIS A002162.
	want, _, err := big.ParseFloat("0.69314718055994530941723212145817656807550013436026", 10, precision, big.ToNearestEven)
	require.NoError(t, err)
	diff, _ := new(big.Float).Sub(want, ln2()).Float64()
	assert.InDelta(t, 0, diff, 1e-46)
}
