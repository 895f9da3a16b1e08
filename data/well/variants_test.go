package well_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// randomCrafted returns a random file whose fields vary along any axes and have any chunks.
func randomCrafted(rng *rand.Rand) crafted {
	c := crafted{trajectories: 1 + rng.IntN(3), steps: []int{6, 12}[rng.IntN(2)]}
	for range 1 + rng.IntN(3) {
		c.grid = append(c.grid, []int{2, 4, 6}[rng.IntN(3)])
	}
	// The names differ in length, so that they identify the fields.
	for _, name := range []string{"a", "bb", "ccc", "dddd", "eeeee"} {
		f := craftedField{name: name, order: rng.IntN(3), sample: rng.IntN(3) > 0, time: name == "a" || rng.IntN(3) > 0, ones: rng.IntN(2) == 0}
		for range c.grid {
			f.along = append(f.along, rng.IntN(3) > 0)
		}
		if shape, _ := c.shape(f); len(shape) > 0 && rng.IntN(4) > 0 {
			for _, n := range shape {
				divisors := []int{1, n}
				for k := 2; k < n; k++ {
					if n%k == 0 {
						divisors = append(divisors, k)
					}
				}
				f.chunk = append(f.chunk, divisors[rng.IntN(len(divisors))])
			}
		}
		c.fields = append(c.fields, f)
	}
	return c
}

// TestVariants reads windows of random files and compares every value with the formula that
// produced it. Fields do not vary along some axes, in all combinations (the release tiles
// them correctly only if those axes come first), and frames share chunks.
func TestVariants(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		c := randomCrafted(rng)
		ds, err := well.Open(c.write(t), well.Options{})
		require.NoError(t, err)
		require.NoError(t, ds.Check(ctx, nil))
		require.Len(t, ds.Trajectories(), c.trajectories)
		byName := map[string]craftedField{}
		for _, f := range c.fields {
			byName[f.name] = f
		}
		w := new(data.Window)
		for range 6 {
			s := data.Span{Trajectory: rng.IntN(c.trajectories), Stride: 1 + rng.IntN(4)}
			s.Start = rng.IntN(c.steps)
			s.Frames = 1 + rng.IntN(1+(c.steps-1-s.Start)/s.Stride)
			w, err = ds.Read(ctx, s, w)
			require.NoError(t, err)
			require.NoError(t, w.Validate())
			for i := range w.Frames {
				require.Equal(t, c.channels(byName, w, false, s.Trajectory, s.Start+i*s.Stride), w.Frames[i], "%+v %+v frame %d", c, s, i)
			}
			require.Equal(t, c.channels(byName, w, true, s.Trajectory, 0), append([]float32(nil), w.Constants...), "%+v %+v", c, s)
		}
		require.NoError(t, ds.Close())
	}
}

// channels returns the expected values of a window in the order of its fields.
func (c crafted) channels(byName map[string]craftedField, w *data.Window, constant bool, trajectory, step int) (out []float32) {
	for _, f := range w.Fields {
		if f.Constant != constant {
			continue
		}
		for component := range f.ComponentCount(len(c.grid)) {
			each(c.grid, func(at []int) {
				out = append(out, c.value(byName[f.Name], trajectory, step, at, component))
			})
		}
	}
	return out
}

// TestBoundaryMasks: the ends that masks set, and the combinations that contradict each
// other. The grid is 3 × 2.
func TestBoundaryMasks(t *testing.T) {
	x, y, xy := []string{"x"}, []string{"y"}, []string{"x", "y"}
	open, wall, periodic := data.Both(data.Open), data.Both(data.Wall), data.Both(data.Periodic)
	for _, c := range []struct {
		name   string
		groups []craftedBoundary
		want   data.Boundaries
		err    string
	}{
		{"none is open", nil, data.Boundaries{open, open}, ""},
		{"all false is open", []craftedBoundary{{"x_periodic", "PERIODIC", x, []float32{0, 0, 0}}}, data.Boundaries{open, open}, ""},
		{"lower case", []craftedBoundary{{"x", "periodic", x, []float32{1, 0, 1}}}, data.Boundaries{periodic, open}, ""},
		{"one group for each end", []craftedBoundary{{"x_open", "OPEN", x, []float32{0, 0, 1}}, {"x_wall", "WALL", x, []float32{1, 0, 0}}},
			data.Boundaries{{Low: data.Wall, High: data.Open}, open}, ""},
		{"agreeing twice", []craftedBoundary{{"a", "WALL", x, []float32{1, 0, 1}}, {"b", "WALL", x, []float32{1, 0, 1}}}, data.Boundaries{wall, open}, ""},
		{"interior only", []craftedBoundary{{"a", "WALL", x, []float32{0, 1, 0}}}, data.Boundaries{open, open}, ""},
		{"wall over two axes, whole ends", []craftedBoundary{{"a", "WALL", xy, []float32{1, 1, 1, 1, 1, 1}}}, data.Boundaries{wall, wall}, ""},
		{"wall over two axes, part of an end is none", []craftedBoundary{{"a", "WALL", xy, []float32{1, 1, 0, 1, 0, 1}}},
			data.Boundaries{{Low: data.Wall, High: data.Open}, {Low: data.Open, High: data.Wall}}, ""},
		{"periodic over two axes, one point is enough", []craftedBoundary{{"a", "PERIODIC", xy, []float32{1, 0, 0, 0, 0, 1}}}, data.Boundaries{periodic, periodic}, ""},
		{"axes in another order", []craftedBoundary{{"a", "WALL", []string{"y", "x"}, []float32{1, 1, 1, 0, 0, 0}}},
			data.Boundaries{open, {Low: data.Wall, High: data.Open}}, ""},
		{"two kinds at one end", []craftedBoundary{{"a", "OPEN", y, []float32{1, 0}}, {"b", "WALL", y, []float32{1, 1}}}, nil,
			"/boundary_conditions/b: the y low end is wall here and open in /boundary_conditions/a"},
		{"half periodic, half wall", []craftedBoundary{{"a", "PERIODIC", y, []float32{1, 0}}, {"b", "WALL", y, []float32{0, 1}}}, nil,
			"axis y: boundary periodic/wall"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := crafted{grid: []int{3, 2}, trajectories: 1, steps: 1, fields: []craftedField{{name: "a", time: true}}, boundaries: c.groups}
			ds, err := well.Open(file.write(t), well.Options{})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			defer ds.Close()
			assert.Equal(t, c.want, ds.Files()[0].Boundaries)
		})
	}
}

// TestOpenFaults: files from which no valid window can be read are refused.
func TestOpenFaults(t *testing.T) {
	p := craftedField{name: "p", time: true}
	damaged := func(axis int, v float64) func(int, int) float32 {
		return func(a, i int) float32 {
			if a == axis && i == 1 {
				return float32(v)
			}
			return float32(i)
		}
	}
	nowhere := []bool{false, false, false}
	for _, c := range []struct {
		name string
		file crafted
		want string
	}{
		{"a name twice", crafted{fields: []craftedField{p, {name: "p", order: 1, time: true}}}, `field "p" is listed twice`},
		{"a component's name", crafted{fields: []craftedField{{name: "u_x", time: true}, {name: "u", order: 1, time: true}}}, `"u_x"`},
		{"constants only", crafted{fields: []craftedField{{name: "c"}}}, "expected at least one field that varies with time"},
		{"no fields", crafted{}, "expected at least one field that varies with time"},
		{"coordinates not finite", crafted{fields: []craftedField{p}, coordinate: damaged(1, math.NaN())}, "/dimensions/y: expected finite numbers, got NaN at 1"},
		{"times not finite", crafted{fields: []craftedField{p}, coordinate: damaged(2, math.Inf(1))}, "/dimensions/time: expected finite numbers, got +Inf at 1"},
		{"too many trajectories", crafted{fields: []craftedField{p}, trajectories: 1<<20 + 1}, "n_trajectories: expected 1 to 1048576, got 1048577"},
		{"frames larger than any memory", crafted{grid: []int{1 << 12, 1 << 12, 1 << 12}, fields: []craftedField{{name: "p", time: true, along: nowhere}}},
			"expected frames of at most 2147483648 values, got a grid of [4096 4096 4096] with 1 channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.file.grid == nil {
				c.file.grid = []int{2, 2}
			}
			c.file.steps, c.file.trajectories = 2, max(c.file.trajectories, 1)
			path := c.file.write(t)
			_, err := well.Open(path, well.Options{})
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, path)
		})
	}
}
