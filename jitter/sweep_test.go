package jitter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/stretchr/testify/require"
)

// ends lists all boundaries that an axis can have.
var ends = []data.Boundary{
	data.Both(data.Wall), data.Both(data.Open), data.Both(data.Periodic),
	{Low: data.Wall, High: data.Open}, {Low: data.Open, High: data.Wall},
}

// combine returns all boundaries of a grid; an axis of one point has a single choice.
func combine(grid []int) []data.Boundaries {
	out := []data.Boundaries{{}}
	for _, n := range grid {
		choices := ends
		if n == 1 {
			choices = ends[2:3]
		}
		var next []data.Boundaries
		for _, head := range out {
			for _, b := range choices {
				next = append(next, append(append(data.Boundaries{}, head...), b))
			}
		}
		out = next
	}
	return out
}

var modes = map[string]jitter.Mode{"fixed": jitter.Fixed, "padded": jitter.Padded, "off": jitter.Off}

func newJitterer(t *testing.T, grid []int, bcs data.Boundaries, mode jitter.Mode, o csm.Options) jitter.Jitterer {
	t.Helper()
	o.NoJitter = mode == jitter.Off
	plan, err := csm.NewPlan(grid, bcs, o)
	require.NoError(t, err)
	return jitter.Jitterer{Plan: plan, Mode: mode}
}

// TestNaive compares with plain loops over many grids, boundaries and modes, bit for bit.
func TestNaive(t *testing.T) {
	small := csm.Options{Tokens: [3]int{4, 4, 2}}
	for _, c := range []struct {
		grid []int
		o    csm.Options
		thin int // use every thin-th combination of boundaries
	}{
		{grid: []int{32, 128}, thin: 4},          // released strides
		{grid: []int{20, 24}, thin: 1},           // 20 needs other patches
		{grid: []int{25, 24}, o: small, thin: 1}, // odd
		{grid: []int{24, 15}, o: small, thin: 3}, // like 60×96, but smaller
		{grid: []int{1, 25, 20}, o: small, thin: 2},
		{grid: []int{20, 1, 17}, o: small, thin: 2},
		{grid: []int{16, 9, 1}, o: small, thin: 2},
		{grid: []int{9, 12, 10}, o: small, thin: 31},
		{grid: []int{16, 8, 11}, o: small, thin: 41},
		{grid: []int{40}, thin: 1}, // 1D
		{grid: []int{1, 1, 37}, thin: 1},
	} {
		if strings.HasPrefix(testbackend.New(t).Name(), "xla") { // XLA compiles each combination
			c.thin = max(c.thin, 7)
		}
		for name, mode := range modes {
			t.Run(fmt.Sprintf("%v/%s", c.grid, name), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, uint64(mode)))
				for i, bcs := range combine(c.grid) {
					if i%c.thin == 0 {
						checkNaive(t, newJitterer(t, c.grid, bcs, mode, c.o), rng)
					}
				}
			})
		}
	}
}

// checkNaive compares Apply, Invert and the gradient of Invert for a random shift and for
// the largest and smallest shifts.
func checkNaive(t *testing.T, j jitter.Jitterer, rng *rand.Rand) {
	t.Helper()
	const steps, batch, channels = 2, 1, 2
	grid, padded := j.Plan.Grid(), j.Plan.PaddedGrid()
	points, padPoints := grid[0]*grid[1]*grid[2], padded[0]*padded[1]*padded[2]
	x := noise(rng, steps*batch*channels*points)
	y := noise(rng, steps*batch*channels*padPoints)
	z := noise(rng, len(x))
	run := compile(t, j, steps, batch, channels)
	for _, shift := range []([3]int32){j.Draw(rng), extreme(j, 1), extreme(j, -1)} {
		require.NoError(t, j.CheckShift(shift))
		got := run(x, y, z, shift)
		var apply, invert, spread []block
		for f := range steps * batch {
			cut := func(v []float32, dims [3]int) []block {
				n := len(v) / (steps * batch)
				return blocks(v[f*n:(f+1)*n], dims)
			}
			apply = append(apply, naiveApply(j, cut(x, grid), shift)...)
			for _, b := range cut(y, padded) {
				invert = append(invert, naiveInvert(j, b, shift))
			}
			for _, b := range cut(z, grid) {
				spread = append(spread, naiveSpread(j, b, shift))
			}
		}
		where := fmt.Sprintf("%v shift %v", boundariesOf(j.Plan), shift)
		sameValues(t, flat(apply), got[0], "Apply, %s", where)
		sameValues(t, x, got[1], "Invert of Apply, %s", where)
		sameValues(t, flat(invert), got[2], "Invert, %s", where)
		sameValues(t, flat(spread), got[3], "gradient of Invert, %s", where)
	}
}

func boundariesOf(p *csm.Plan) (out []string) {
	for _, a := range p.Axes {
		out = append(out, a.Boundary.String())
	}
	return out
}

// extreme returns the largest shift in the direction of sign.
func extreme(j jitter.Jitterer, sign int32) (s [3]int32) {
	for i, b := range j.Bounds() {
		s[i] = sign * int32(max(b-1, 0))
	}
	return s
}

// compile returns one program for all shifts, as the package is meant to be used.
func compile(t *testing.T, j jitter.Jitterer, steps, batch, channels int) func(x, y, z []float32, shift [3]int32) [][]float32 {
	t.Helper()
	grid, padded := j.Plan.Grid(), j.Plan.PaddedGrid()
	exec, err := NewExec(testbackend.New(t), func(in []*Node) []*Node {
		x, y, z, shift := in[0], in[1], in[2], in[3]
		all := j.Apply(x, shift)
		back := j.Invert(SliceAxis(all, 4, AxisRange(0, channels)), shift, steps, batch)
		inverse := j.Invert(TransposeAllDims(y, 0, 2, 3, 4, 1), shift, steps, batch)
		grad := Gradient(ReduceAllSum(Mul(inverse, z)), y)[0]
		return []*Node{modelLayout(all), back, inverse, grad}
	})
	require.NoError(t, err)
	return func(x, y, z []float32, shift [3]int32) [][]float32 {
		out, err := exec.Call(
			testbackend.Tensor(x, steps, batch, channels, grid[0], grid[1], grid[2]),
			testbackend.Tensor(y, steps*batch, channels, padded[0], padded[1], padded[2]),
			testbackend.Tensor(z, steps, batch, channels, grid[0], grid[1], grid[2]),
			testbackend.Tensor(shift[:], 3))
		require.NoError(t, err)
		var flat [][]float32
		for _, o := range out {
			flat = append(flat, tensors.MustCopyFlatData[float32](o))
		}
		return flat
	}
}

// TestNoPadsMarkWholeAxis checks a behaviour of the release: at stride 8×4 without jitter,
// an axis with walls has no padding. The slice of the last 0 points is the whole axis, so
// all of it is flagged as the high end, while the fields are unchanged.
func TestNoPadsMarkWholeAxis(t *testing.T) {
	j := newJitterer(t, []int{1024, 8}, data.Boundaries{{Low: data.Wall, High: data.Open}, data.Both(data.Periodic)}, jitter.Off, csm.Options{})
	require.Equal(t, [2]int{8, 4}, j.Plan.Axes[0].Stride)
	require.Zero(t, j.Plan.Axes[0].PadLow+j.Plan.Axes[0].PadHigh)
	checkNaive(t, j, rand.New(rand.NewPCG(1, 1)))
	flags := naiveApply(j, []block{newBlock(j.Plan.Grid(), 1)}, [3]int32{})[1:]
	for c, want := range []float32{0, 0, 1} { // the whole axis is the open end
		require.Equal(t, newBlock(j.Plan.PaddedGrid(), want), flags[c], "flag channel %d", c)
	}
}

// TestApplyAdjoint checks ⟨Apply x − Apply 0, z⟩ = ⟨x, ∂⟨Apply x, z⟩/∂x⟩: periodic padding
// copies a point more than once, and its gradient is the sum over the copies.
func TestApplyAdjoint(t *testing.T) {
	for _, mode := range modes {
		j := newJitterer(t, []int{25, 20}, data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}, mode, csm.Options{Tokens: [3]int{4, 4, 4}})
		rng := rand.New(rand.NewPCG(3, 4))
		random := func(dims ...int) *tensors.Tensor {
			n := 1
			for _, d := range dims {
				n *= d
			}
			v := make([]float64, n)
			for i := range v {
				v[i] = rng.NormFloat64()
			}
			return testbackend.Tensor(v, dims...)
		}
		p := j.Plan.PaddedGrid()
		shift := j.Draw(rng)
		got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
			x, z := in[0], in[1]
			dot := func(x *Node) *Node { return ReduceAllSum(Mul(j.Apply(x, in[2]), z)) }
			linear := Sub(dot(x), dot(ZerosLike(x)))
			return []*Node{linear, ReduceAllSum(Mul(Gradient(linear, x)[0], x))}
		}, random(1, 1, 2, 25, 20, 1), random(1, p[0], p[1], p[2], 5), testbackend.Tensor(shift[:], 3))
		require.NotZero(t, got[0][0])
		require.InEpsilon(t, got[0][0], got[1][0], 1e-12)
	}
}
