package csm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
)

// goldenCase is the golden case with the two tables.
const goldenCase = "f_encoder_decoder"

// TestGoldenKernelTable: the strides equal the release's if it has any; a grid that the
// release refuses but this package allows gets a plan that is marked as not released.
func TestGoldenKernelTable(t *testing.T) {
	var rows []struct {
		Shape  []int
		Kernel [][2]int
		Error  *string
	}
	golden.ReadJSON(t, "f_kernel_table.json", &rows)
	require.NotEmpty(t, rows)
	t.Run(goldenCase, func(t *testing.T) {
		for _, row := range rows {
			t.Run(fmt.Sprint(row.Shape), func(t *testing.T) {
				for _, bc := range []data.BC{data.Wall, data.Periodic} {
					plan, err := NewPlan(row.Shape, uniform(bc, len(row.Shape)), Options{})
					if !legal(row.Shape) {
						require.Error(t, err) // the release accepts 0 and grids of single points
						continue
					}
					require.NoError(t, err)
					assert.Equal(t, row.Error == nil, allReleased(plan))
					if row.Error != nil {
						continue
					}
					for i, want := range row.Kernel {
						assert.Equal(t, want, plan.Axes[i].Stride, "strides of axis %d", i)
					}
				}
			})
		}
	})
}

type geometry struct {
	Shape    [3]int
	BC       string
	Jitter   bool `json:"jitter_patches"`
	Kernel   [3][2]int
	Constant [6]int `json:"constant_paddings"` // last axis first, low then high
	Periodic [6]int `json:"periodic_paddings"`
	Padded   [3]int
	Tokens   [3]int
	Decoded  [3]int
	Final    [3]int
	OK       bool
}

func (g geometry) boundaries() data.Boundaries {
	if g.BC == "PERIODIC" {
		return uniform(data.Periodic, 3)
	}
	b := data.Boundary{Low: data.Open, High: data.Wall}
	return data.Boundaries{b, b, b}
}

// TestGoldenGeometryTable compares padding, tokens and decoded lengths of grids that the
// release handles. In rows marked not ok, the release's decoder returns axes of stride 6
// too short; here they must have their full length.
func TestGoldenGeometryTable(t *testing.T) {
	var rows []geometry
	golden.ReadJSON(t, "f_geometry_table.json", &rows)
	require.NotEmpty(t, rows)
	t.Run(goldenCase, func(t *testing.T) {
		for _, g := range rows {
			t.Run(fmt.Sprintf("%v/%s/jitter=%v", g.Shape, g.BC, g.Jitter), func(t *testing.T) {
				plan, err := NewPlan(g.Shape[:], g.boundaries(), Options{NoJitter: !g.Jitter})
				require.NoError(t, err)
				assert.True(t, plan.Released())
				for i, a := range plan.Axes {
					checkGeometry(t, g, i, a)
				}
				assert.Equal(t, g.Padded, plan.PaddedGrid())
				assert.Equal(t, g.Tokens, plan.TokenGrid())
				assert.Equal(t, g.Shape, plan.Grid())
			})
		}
	})
}

func checkGeometry(t *testing.T, g geometry, i int, a Axis) {
	t.Helper()
	assert.Equal(t, g.Kernel[i], a.Stride, "strides of axis %d", i)
	last := 2 * (2 - i)
	want := [2]int{g.Constant[last], g.Constant[last+1]}
	if a.Wrap {
		want = [2]int{g.Periodic[last], g.Periodic[last+1]}
	}
	assert.Equal(t, want, [2]int{a.PadLow, a.PadHigh}, "padding of axis %d", i)
	final := a.Decoded - a.PadLow - a.PadHigh
	if !g.OK && a.Wrap && a.Stride[0] == 6 {
		assert.Equal(t, g.Decoded[i]+4, a.Decoded, "decoded, axis %d", i)
		assert.Equal(t, g.Final[i]+4, final, "final, axis %d", i)
		assert.Contains(t, a.Reason, "4 points short")
		return
	}
	assert.Equal(t, g.Decoded[i], a.Decoded, "decoded, axis %d", i)
	assert.Equal(t, g.Final[i], final, "final, axis %d", i)
}

// TestGoldenShiftBounds checks the ranges of the release's shifts: [-(b-1), b), one entry
// for each axis with a draw.
func TestGoldenShiftBounds(t *testing.T) {
	golden.Every(t, "g_patch_jitter", func(t *testing.T, c golden.Case) {
		for i := range c.Items {
			var item struct {
				Key    string
				Cls    string
				Jitter bool `json:"jitter_patches"`
				Shape  []int
				Bcs    [][2]int
				Draws  [][]any // "jitter", low, high (exclusive), value
			}
			c.Item(t, i, &item)
			if item.Cls != "fixed" {
				continue // this jitterer was not used to train the released weights
			}
			plan, err := NewPlan(item.Shape, fromCodes(t, item.Bcs), Options{NoJitter: !item.Jitter})
			require.NoError(t, err)
			var want, got [][2]int
			for _, d := range item.Draws {
				want = append(want, [2]int{int(d[1].(float64)), int(d[2].(float64))})
			}
			for _, a := range plan.Axes {
				if a.ShiftBound > 0 {
					got = append(got, [2]int{1 - a.ShiftBound, a.ShiftBound})
				}
			}
			assert.Equal(t, want, got, item.Key)
		}
	})
}

// TestStridePairs checks which of the pairs of strides with the same product is chosen for
// a patch, on an axis with exactly the target number of patches.
func TestStridePairs(t *testing.T) {
	want := map[int][2]int{
		1: {1, 1}, 2: {2, 1}, 3: {3, 1}, 4: {2, 2}, 5: {5, 1}, 6: {3, 2}, 7: {7, 1}, 8: {4, 2},
		9: {3, 3}, 10: {5, 2}, 12: {6, 2}, 14: {7, 2}, 15: {5, 3}, 16: {4, 4}, 18: {6, 3},
		20: {5, 4}, 21: {7, 3}, 24: {6, 4}, 28: {7, 4}, 32: {8, 4},
	}
	best := map[int]Axis{}
	for s1 := 1; s1 <= 8; s1++ {
		for s2 := 1; s2 <= 4; s2++ {
			p := s1 * s2
			a := layout(32*p, data.Both(data.Wall), releasedKernel, [2]int{s1, s2}, true)
			old, ok := best[p]
			if !ok || preferred(a, cost(a, Options{}.withDefaults(), 32), old, cost(old, Options{}.withDefaults(), 32)) {
				best[p] = a
			}
		}
	}
	require.Len(t, best, len(want))
	for p, a := range best {
		assert.Equal(t, want[p], a.Stride, "patch %d", p)
	}
}

// TestPreferred: lower cost first, then the larger patch, then the more even overlap; equal
// plans are never preferred.
func TestPreferred(t *testing.T) {
	axis := func(s1, s2 int) Axis {
		return layout(96, data.Both(data.Wall), releasedKernel, [2]int{s1, s2}, true)
	}
	assert.True(t, preferred(axis(1, 1), 0.1, axis(2, 2), 0.2))
	assert.False(t, preferred(axis(2, 2), 0.2, axis(1, 1), 0.1))
	assert.True(t, preferred(axis(2, 2), 0.1, axis(3, 1), 0.1))
	assert.False(t, preferred(axis(3, 1), 0.1, axis(2, 2), 0.1+1e-12))
	assert.True(t, preferred(axis(3, 2), 0.1, axis(6, 1), 0.1))
	assert.False(t, preferred(axis(6, 1), 0.1, axis(3, 2), 0.1))
	assert.False(t, preferred(axis(3, 2), 0.1, axis(3, 2), 0.1))
}

// TestNearestPatch: a patch of the release that is close to the exact one can be cheaper.
func TestNearestPatch(t *testing.T) {
	for n, want := range map[int]int{2 * 32: 2, 3 * 32: 3, 5 * 32: 5, 6 * 32: 6, 7 * 32: 8, 14 * 32: 16, 20 * 32: 20, 30 * 32: 32} {
		plan, err := NewPlan([]int{n, 32}, uniform(data.Wall, 2), Options{})
		require.NoError(t, err)
		assert.Equal(t, want, plan.Axes[0].Patch(), "%d points", n)
		assert.False(t, plan.Released())
	}
}

// TestReleasedNeedsReleasedOptions: plans with other targets or kernels are not marked as
// released, even with the same strides.
func TestReleasedNeedsReleasedOptions(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    Options
		want bool
	}{
		{"zero value", Options{}, true},
		{"spelled out", Options{Tokens: [3]int{32, 32, 16}, Kernel: [2]int{8, 4}}, true},
		{"without jitter", Options{NoJitter: true}, true},
		{"other target", Options{Tokens: [3]int{32, 64, 16}}, false},
		{"other target elsewhere", Options{Tokens: [3]int{32, 32, 8}}, true},
		{"other kernels", Options{Kernel: [2]int{8, 8}}, false},
	} {
		plan, err := NewPlan([]int{256, 256}, uniform(data.Wall, 2), tc.o)
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.want, plan.Released(), tc.name)
	}
	line, err := NewPlan([]int{256}, uniform(data.Wall, 1), Options{})
	require.NoError(t, err)
	assert.True(t, line.Axes[0].Released)
	assert.False(t, line.Released(), "the release has no one-dimensional weights")
}

func uniform(bc data.BC, axes int) data.Boundaries {
	return slices.Repeat(data.Boundaries{data.Both(bc)}, axes)
}

func fromCodes(t *testing.T, codes [][2]int) data.Boundaries {
	t.Helper()
	var out data.Boundaries
	for _, c := range codes {
		low, err := data.BCFromCode(c[0])
		require.NoError(t, err)
		high, err := data.BCFromCode(c[1])
		require.NoError(t, err)
		out = append(out, data.Boundary{Low: low, High: high})
	}
	return out
}

// legal reports whether every axis has one point or at least eight, and not all have one.
func legal(shape []int) bool {
	return !slices.ContainsFunc(shape, func(n int) bool { return n < 1 || n > 1 && n < 8 }) &&
		slices.Max(shape) > 1
}

func allReleased(p *Plan) bool {
	return !slices.ContainsFunc(p.Axes[:], func(a Axis) bool { return !a.Released })
}
