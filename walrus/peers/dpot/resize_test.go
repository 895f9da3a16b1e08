package dpot

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// at returns the value of a row at a position between its points, constant beyond them.
func at(row []float64, x float64) float64 {
	x = min(max(x, 0), float64(len(row)-1))
	low := int(x)
	high := min(low+1, len(row)-1)
	return row[low] + (x-float64(low))*(row[high]-row[low])
}

func TestInterpolation(t *testing.T) {
	for _, n := range [][2]int{{1, 1}, {1, 5}, {5, 1}, {4, 8}, {8, 4}, {3, 7}, {7, 3}} {
		row := make([]float64, n[0])
		for i, v := range values("row", n[0]) {
			row[i] = float64(v)
		}
		for i, weights := range interpolation(n[0], n[1]) {
			got := 0.0
			for j, w := range weights {
				got += w * row[j]
			}
			want := at(row, (float64(i)+0.5)*float64(n[0])/float64(n[1])-0.5)
			require.InDelta(t, want, got, 1e-12, "%v at %d", n, i)
		}
	}
}

// TestResize: graph and host agree, in any number of axes.
func TestResize(t *testing.T) {
	for _, j := range []struct{ from, to []int }{{[]int{4, 6}, []int{8, 3}}, {[]int{3, 5, 2}, []int{2, 5, 7}}, {[]int{2, 2}, []int{2, 2}}} {
		dims := append(append([]int{2}, j.from...), 3)
		got := testbackend.Run(t, func(in []*Node) []*Node { return []*Node{Resize(in[0], j.to)} }, testbackend.Normal("x", dims...))
		want := resized(values("x", product(dims)), dims, append(append([]int{2}, j.to...), 3))
		golden.CompareL2(t, "resized", got[0], want, 1e-6)
	}
}

func TestPadChannels(t *testing.T) {
	got := testbackend.Run(t, func(in []*Node) []*Node { return []*Node{PadChannels(in[0], 3), PadChannels(in[0], 2)} },
		testbackend.Tensor([]float32{5, 6, 7, 8}, 2, 2))
	require.Equal(t, []float32{5, 6, 1, 7, 8, 1}, got[0])
	require.Equal(t, []float32{5, 6, 7, 8}, got[1])
	_, err := CallOnceN(testbackend.New(t), func(in []*Node) []*Node { return []*Node{PadChannels(in[0], 1)} }, testbackend.Normal("x", 2, 2))
	require.ErrorContains(t, err, "expected at most 1, got shape [2 2]")
}
