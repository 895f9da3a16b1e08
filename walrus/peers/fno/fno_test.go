package fno

import (
	"math"
	"math/cmplx"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/fourier"
)

// TestSpectral: each kept frequency is multiplied with its own matrix, by the definition of the
// transform.
func TestSpectral(t *testing.T) {
	const rows, columns, width, modes = 6, 8, 2, 2
	x, r := testbackend.Normal("x", 1, rows, columns, width), testbackend.Normal("r", 2, 2*modes*modes, width, width)
	got := testbackend.Run(t, func(in []*Node) []*Node {
		f := fourier.New(in[0], [][]int{fourier.Symmetric(rows, modes), fourier.Lowest(columns, modes, true)})
		return []*Node{spectral(f, in[0], in[1])}
	}, x, r)[0]
	field, matrix := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](r)
	wave := func(k1, k2, i, j int) complex128 {
		return cmplx.Exp(complex(0, 2*math.Pi*(float64(k1*i)/rows+float64(k2*j)/columns)))
	}
	want := make([]float32, rows*columns*width)
	for a, k1 := range []int{0, 1, -2, -1} {
		for k2 := range modes {
			var in, out [width]complex128
			for p := range rows * columns {
				for c := range width {
					in[c] += complex(float64(field[p*width+c]), 0) * cmplx.Conj(wave(k1, k2, p/columns, p%columns))
				}
			}
			for c := range width {
				for o := range width {
					at := ((a*modes+k2)*width+c)*width + o
					out[o] += in[c] * complex(float64(matrix[at]), float64(matrix[len(matrix)/2+at]))
				}
			}
			count := 2.0 // for k2 and −k2
			if k2 == 0 {
				count = 1
			}
			for p := range rows * columns {
				for o := range width {
					want[p*width+o] += float32(count * real(out[o]*wave(k1, k2, p/columns, p%columns)) / (rows * columns))
				}
			}
		}
	}
	golden.CompareL2(t, "spectral", got, want, 1e-6)
}

// TestBuild: networks of one to three axes have the listed parameters and return frames.
func TestBuild(t *testing.T) {
	for _, grid := range [][]int{{16}, {8, 12}, {8, 8, 10}} {
		c := For(grid, 3)
		c.Steps, c.Width, c.Depth = 2, 4, 2
		m, err := NewModel(c)
		require.NoError(t, err)
		require.NoError(t, m.CheckGrid(grid))
		values := map[string]*tensors.Tensor{}
		for _, p := range m.Params() {
			values["w."+p.Key] = testbackend.Normal(p.Key, p.Dims...)
		}
		dims := append(append([]int{2}, grid...), 6)
		values["x"] = testbackend.Normal("x", dims...)
		got := testbackend.RunNamed(t, values, func(in map[string]*Node, out *testbackend.Outputs) {
			out.Add("y", m.Build(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in["w."+key] }), in["x"], [3]bool{}))
		})["y"]
		points := 1
		for _, n := range grid {
			points *= n
		}
		require.Len(t, got, 2*points*3)
		require.Error(t, m.CheckGrid(append([]int{2}, grid[1:]...)))
		require.Error(t, m.CheckGrid(append(grid, 8)))
	}
}

// TestSize: the default network has the size that its documentation says.
func TestSize(t *testing.T) {
	for _, grid := range [][]int{{128, 128}, {64, 64, 64}} {
		m, err := NewModel(For(grid, 4))
		require.NoError(t, err)
		n := 0
		for _, p := range m.Params() {
			n += p.Size()
		}
		require.InDelta(t, 17e6, float64(n), 3e5)
	}
	require.ErrorContains(t, Config{Axes: 4}.Validate(), "fno: config: axes: expected 1 to 3, got 4")
}
