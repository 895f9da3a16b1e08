package golden

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	type v = []float32
	tests := []struct {
		name      string
		got, want v
		tol       float64
		failure   string // "" when they agree
	}{
		{"equal", v{1, 2}, v{1, 2}, 0, ""},
		{"empty", nil, v{}, 0, ""},
		{"relative to the largest", v{100, 1}, v{100, 1.5}, 0.006, ""},
		{"beyond the tolerance", v{100, 1}, v{100, 1.5}, 0.004, "x: expected a difference of at most 0.004, got 0.005 at 1: expected 1.5, got 1 (largest magnitude 100)"},
		{"the worst is named", v{1, 3, 2}, v{1, 1, 1}, 1, "2 at 1"},
		{"zeros compare absolutely", v{1e-8, 0}, v{0, 0}, 1e-7, ""},
		{"zeros too far", v{1e-6, 0}, v{0, 0}, 1e-7, "1e-06 at 0"},
		{"length", v{1}, v{1, 2}, 1, "expected 2 values, got 1"},
		{"NaN got", v{1, nan}, v{1, 2}, 1e9, "at 1: expected 2, got NaN"},
		{"NaN wanted", v{1, 2}, v{1, nan}, 1e9, "at 1"},
		{"NaN both", v{nan}, v{nan}, 1e9, "NaN is never equal"},
		{"infinities agree", v{inf, 1}, v{inf, 1}, 0, ""},
		{"infinity got", v{inf}, v{1}, 1e9, "at 0: expected 1, got +Inf"},
		{"infinity wanted", v{1}, v{inf}, 1e9, "expected +Inf, got 1"},
		{"stored -Inf", v{-inf, -1e30}, v{-1e30, -1e30}, 0, ""},
		{"stored -Inf sets no scale", v{-inf, 1.1}, v{-1e30, 1}, 0.01, "0.1 at 1"},
		{"finite for -Inf", v{-1e29, 1}, v{-1e30, 1}, 1e9, "at 0"},
		{"tolerance NaN", v{1}, v{1}, math.NaN(), "expected a difference"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agreed := false
			got := failure(func(tb testing.TB) { agreed = Compare(tb, "x", tt.got, tt.want, tt.tol) })
			assert.Equal(t, tt.failure == "", agreed)
			if tt.failure == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, tt.failure)
			}
		})
	}
}

func TestCompareL2(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	type v = []float32
	tests := []struct {
		name      string
		got, want v
		tol       float64
		failure   string // "" when they agree
	}{
		{"equal", v{1, 2}, v{1, 2}, 0, ""},
		{"all values count", v{3, 4.5, 0}, v{3, 4, 0}, 0.1, ""},
		{"beyond the tolerance", v{3, 4.5, 0}, v{3, 4, 0}, 0.09, "x: expected a relative L2 distance of at most 0.09, got 0.1; largest difference 0.125 at 1: expected 4, got 4.5"},
		{"zeros compare absolutely", v{3e-8, 4e-8}, v{0, 0}, 6e-8, ""},
		{"zeros too far", v{3e-8, 4e-8}, v{0, 0}, 4e-8, "got 5e-08"},
		{"length", v{1}, v{1, 2}, 1, "expected 2 values, got 1"},
		{"NaN", v{1, nan}, v{1, 2}, 1e9, "at 1: expected 2, got NaN"},
		{"infinity", v{inf, 1}, v{1, 1}, 1e9, "at 0"},
		{"equal infinities", v{inf, 1}, v{inf, 1}, 1e9, "expected a relative"},
		{"tolerance NaN", v{1}, v{1}, math.NaN(), "expected a relative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agreed := false
			got := failure(func(tb testing.TB) { agreed = CompareL2(tb, "x", tt.got, tt.want, tt.tol) })
			assert.Equal(t, tt.failure == "", agreed)
			if tt.failure == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, tt.failure)
			}
		})
	}
}

func TestSub(t *testing.T) {
	count := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	tests := []struct {
		name           string
		shape          []int
		stride, minLen int
		want, outShape []int
	}{
		{"long axis only", []int{2, 9}, 4, 8, []int{0, 4, 8, 9, 13, 17}, []int{2, 3}},
		{"eight is not long", []int{8}, 2, 8, count(8), []int{8}},
		{"leading axes stay", []int{3, 1, 2, 1}, 2, 0, []int{0, 2, 4}, []int{3, 1, 1, 1}},
		{"kernels", []int{1, 2, 2, 3}, 2, 0, []int{0, 2}, []int{1, 1, 1, 2}},
		{"scalar", []int{}, 3, 8, []int{0}, []int{}},
		{"empty", []int{0, 9}, 3, 8, []int{}, []int{0, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 1
			for _, d := range tt.shape {
				n *= d
			}
			got, shape := Sub(count(n), tt.shape, tt.stride, tt.minLen)
			require.Equal(t, tt.outShape, shape)
			assert.Equal(t, tt.want, got)
		})
	}
	assert.Panics(t, func() { Sub(count(3), []int{2}, 1, 0) })
	assert.Panics(t, func() { Sub(count(2), []int{2}, 0, 0) })
}
