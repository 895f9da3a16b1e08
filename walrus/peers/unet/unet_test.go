package unet

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// TestBuild: networks of one to three axes return frames. On periodic axes a shift by the size
// of a patch of the deepest level shifts the forecast; otherwise the edges change it.
func TestBuild(t *testing.T) {
	for _, grid := range [][]int{{16}, {8, 16}, {8, 8, 8}} {
		c := Config{Axes: len(grid), Channels: 2, Steps: 2, Width: 8, Levels: 3}
		m, err := NewModel(c)
		require.NoError(t, err)
		require.NoError(t, m.CheckGrid(grid))
		values := map[string]*tensors.Tensor{}
		for _, p := range m.Params() {
			values["w."+p.Key] = testbackend.Normal(p.Key, p.Dims...)
		}
		values["x"] = testbackend.Normal("x", append(append([]int{1}, grid...), 4)...)
		roll := func(x *Node) *Node {
			return Concatenate([]*Node{SliceAxis(x, 1, AxisRange(4)), SliceAxis(x, 1, AxisRange(0, 4))}, 1)
		}
		got := testbackend.RunNamed(t, values, func(in map[string]*Node, out *testbackend.Outputs) {
			vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in["w."+key] })
			for name, periodic := range map[string][3]bool{"periodic": {true, true, true}, "open": {}} {
				out.Add(name, m.Build(vars, roll(in["x"]), periodic))
				out.Add(name+" rolled", roll(m.Build(vars, in["x"], periodic)))
			}
		})
		points := 1
		for _, n := range grid {
			points *= n
		}
		require.Len(t, got["open"], 2*points)
		golden.CompareL2(t, "shift", got["periodic"], got["periodic rolled"], 1e-5)
		require.NotEqual(t, got["open"], got["open rolled"])
		require.Error(t, m.CheckGrid(append([]int{6}, grid[1:]...)))
		require.Error(t, m.CheckGrid(append(grid, 8)))
	}
}

// TestSize: the default network has the size that its documentation says, and fewer levels on
// grids that cannot be halved so often.
func TestSize(t *testing.T) {
	m, err := NewModel(For([]int{128, 384}, 4))
	require.NoError(t, err)
	n := 0
	for _, p := range m.Params() {
		n += p.Size()
	}
	require.InDelta(t, 17.5e6, float64(n), 2e5)
	require.Equal(t, 3, For([]int{12, 128}, 4).Levels)
	require.ErrorContains(t, Config{Axes: 2, Width: 12}.Validate(), "width: expected a multiple of 8, the number of norm groups, got 12")
}
