package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spectral names the systems solved on Fourier modes.
var spectral = []string{"active_matter", "advection", "advection_diffusion", "burgers", "burgers_3d", "diffusion", "gray_scott",
	"kuramoto_sivashinsky", "navier_stokes", "navier_stokes_3d", "navier_stokes_tensor", "viscoelastic"}

// TestVary: every start, on a square and on an oblong grid, gives finite frames that
// change.
func TestVary(t *testing.T) {
	for _, name := range spectral {
		s, err := Lookup(name)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, kind := range s.Variety.Starts {
				grid := same(len(s.Grid), 16)
				grid[i%len(grid)] = 16 + 8*(i%2)
				fixed := Case{Grid: grid, Start: kind}
				if name == "kuramoto_sivashinsky" {
					fixed.Values = map[string]float64{"spin_up": 3}
				}
				rng := rand.New(rand.NewPCG(5, uint64(i)))
				c, err := s.Vary(rng, fixed)
				require.NoError(t, err)
				r, err := s.StartCase(c, rng)
				require.NoError(t, err)
				list := frames(t, s, r, grid, 3)
				for _, f := range list {
					for _, v := range f {
						require.True(t, finite(float64(v)), "%+v", c)
					}
				}
				assert.Greater(t, apart(list[0], list[2]), 1e-4, "%+v", c)
			}
		})
	}
}

// TestVaryKeeps: Resolve keeps the caller's choices, cells are square, and drawn values
// stay within their bounds.
func TestVaryKeeps(t *testing.T) {
	s, err := Lookup("navier_stokes")
	require.NoError(t, err)
	fixed := Case{Grid: []int{24, 48}, Interval: 0.3, Values: map[string]float64{"Reynolds": 1e4}}
	c, err := s.Vary(generator(), fixed)
	require.NoError(t, err)
	assert.Equal(t, fixed.Grid, c.Grid)
	assert.Equal(t, 0.3, c.Interval)
	assert.Equal(t, 1e4, c.Values["Reynolds"])
	assert.InDelta(t, c.Length[0]/24, c.Length[1]/48, 1e-12)
	fixed.Length = []float64{3, 4}
	c, err = s.Vary(generator(), fixed)
	require.NoError(t, err)
	assert.Equal(t, []float64{3, 4}, c.Length)
	for i := range uint64(200) {
		c, err := s.Vary(rand.New(rand.NewPCG(1, i)), Case{})
		require.NoError(t, err)
		cell := c.Length[0] / float64(c.Grid[0])
		assert.LessOrEqual(t, c.Values["Reynolds"]*cell, 45+1e-9)
		assert.True(t, c.Interval >= s.Variety.Interval[0] && c.Interval <= s.Variety.Interval[1])
	}
	for _, length := range [][]float64{{1}, {1, 0}, {1, math.NaN()}, {math.Inf(1), 1}} {
		_, err := s.StartCase(Case{Length: length, Values: c.Values}, generator())
		assert.ErrorContains(t, err, "length: expected a positive number along each of 2 axes")
	}
}

// TestStartsDiffer: the patterns are different fields with values of order 1.
func TestStartsDiffer(t *testing.T) {
	b := newPeriodic([]int{32, 48}, []float64{1, 1.5})
	var before []float64
	for _, kind := range scalarStarts {
		f := b.pattern(generator(), kind)
		size := 0.0
		for _, v := range f {
			size += v * v / float64(len(f))
		}
		assert.True(t, size > 0.001 && size < 4, "%s: mean square %v", kind, size)
		if before != nil {
			assert.Greater(t, distance(before, f), 0.1, kind)
		}
		before = f
	}
	// The modes of the narrow band have wave numbers around 4.
	hat := b.forward(nil, b.band(generator(), 4))
	inside, total := 0.0, 0.0
	for i, v := range hat {
		power := real(v)*real(v) + imag(v)*imag(v)
		if k := math.Sqrt(b.k2[i]) / (2 * math.Pi); k > 3 && k < 5 {
			inside += power
		}
		total += power
	}
	assert.Greater(t, inside/total, 0.9)
}
