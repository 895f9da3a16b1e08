package walrus_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// naiveTrilinear resizes [h, w, d] to [H, W, D] like torch's
// interpolate(mode="trilinear", align_corners=False): every point is a weighted sum of
// its eight neighbours.
func naiveTrilinear(x []float64, from, to [3]int) []float64 {
	place := func(i, m, n int) (lo, hi int, f float64) {
		at := math.Max(0, (float64(i)+0.5)*float64(m)/float64(n)-0.5)
		lo = int(math.Floor(at))
		hi = lo
		if lo < m-1 {
			hi = lo + 1
		}
		return lo, hi, at - float64(lo)
	}
	var out []float64
	for i := range to[0] {
		for j := range to[1] {
			for k := range to[2] {
				sum := 0.0
				for corner := range 8 {
					weight, at := 1.0, 0
					for a, p := range [3]int{i, j, k} {
						lo, hi, f := place(p, from[a], to[a])
						if corner>>a&1 == 1 {
							lo, f = hi, 1-f
						}
						weight *= 1 - f
						at = at*from[a] + lo
					}
					sum += weight * x[at]
				}
				out = append(out, sum)
			}
		}
	}
	return out
}

func TestResize(t *testing.T) {
	for _, c := range []struct {
		name   string
		resize walrus.Resize
		grid   [3]int
		inner  [3]int
	}{
		{"neutron star", walrus.NeutronStarResize, [3]int{3, 2, 66}, [3]int{3, 2, 64}},
		{"all axes", walrus.Resize{12, 8, 9}, [3]int{9, 11, 9}, [3]int{12, 8, 9}},
		{"much finer", walrus.Resize{0, 20, 0}, [3]int{2, 3, 1}, [3]int{2, 20, 1}},
		{"much coarser", walrus.Resize{8, 0, 0}, [3]int{50, 2, 1}, [3]int{8, 2, 1}},
		{"nothing", walrus.Resize{}, [3]int{4, 5, 6}, [3]int{4, 5, 6}},
		{"same length", walrus.Resize{0, 5, 0}, [3]int{4, 5, 6}, [3]int{4, 5, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			grid, err := c.resize.Grid(c.grid[:])
			require.NoError(t, err)
			require.Equal(t, c.inner[:], grid)
			n := c.grid[0] * c.grid[1] * c.grid[2]
			x := make([]float64, 2*n)
			for i, v := range noiseOf(1, 2*n) {
				x[i] = float64(v)
			}
			got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
				to := c.resize.To(in[0])
				to.AssertDims(1, 2, c.inner[0], c.inner[1], c.inner[2])
				return []*Node{to, c.resize.From(to, c.grid)}
			}, testbackend.Tensor(x, 1, 2, c.grid[0], c.grid[1], c.grid[2]))
			var to, back []float64
			for channel := range 2 {
				y := naiveTrilinear(x[channel*n:(channel+1)*n], c.grid, c.inner)
				to, back = append(to, y...), append(back, naiveTrilinear(y, c.inner, c.grid)...)
			}
			require.InDeltaSlice(t, to, got[0], 1e-6) // weights are float32
			require.InDeltaSlice(t, back, got[1], 1e-6)
			if c.grid == c.inner {
				require.Equal(t, x, got[0], "nothing to do")
			}
		})
	}
}

func TestResizeErrors(t *testing.T) {
	for _, c := range []struct {
		resize walrus.Resize
		grid   []int
		want   string
	}{
		{walrus.NeutronStarResize, []int{32, 66}, "walrus: resize [0 0 64]: axis 2 of grid [32 66] cannot become 64 points"},
		{walrus.Resize{8}, []int{1, 16}, "walrus: resize [8 0 0]: axis 0 of grid [1 16] cannot become 8 points"},
		{walrus.Resize{0, -4}, []int{16, 16}, "walrus: resize [0 -4 0]: axis 1 of grid [16 16] cannot become -4 points"},
		{walrus.Resize{}, []int{8, 8, 8, 8}, "walrus: resize [0 0 0]: expected a grid of at most 3 axes, got [8 8 8 8]"},
	} {
		_, err := c.resize.Grid(c.grid)
		require.EqualError(t, err, c.want)
		require.ErrorAs(t, err, new(*csm.GridError))
	}
}
