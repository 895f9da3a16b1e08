package solve

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// volumes names the systems solved on finite volumes and staggered grids.
var volumes = []string{"acoustics", "acoustics_3d", "euler_periodic", "euler_open", "euler_3d", "shallow_water", "rayleigh_benard", "mhd", "mhd_3d",
	"rayleigh_taylor", "radiative_layer"}

// TestVolumesVary: every start and all boundaries of every system give finite frames that
// change, on a small oblong grid and with parameters from the wide ranges.
func TestVolumesVary(t *testing.T) {
	for _, name := range volumes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Lookup(name)
			require.NoError(t, err)
			v := s.variety()
			assert.GreaterOrEqual(t, len(v.Starts), 3)
			assert.GreaterOrEqual(t, v.Interval[1]/v.Interval[0], 8.0)
			assert.True(t, slices.ContainsFunc(v.Grids, func(g []int) bool { return slices.Min(g) != slices.Max(g) }))
			rng := rand.New(rand.NewPCG(11, 12))
			for i := range max(len(v.Starts), len(v.Boundaries)) {
				fixed := Case{Grid: []int{12, 16, 8}[:len(s.Grid)], Start: v.Starts[i%len(v.Starts)], Boundaries: v.Boundaries[i%len(v.Boundaries)]}
				c, err := s.Vary(rng, fixed)
				require.NoError(t, err)
				checkCase(t, s, c, rng)
			}
		})
	}
}

// checkCase runs a case for three frames.
func checkCase(t *testing.T, s *System, c Case, rng *rand.Rand) {
	t.Helper()
	if _, ok := c.Values["spin_up"]; ok {
		c.Values["spin_up"] = min(c.Values["spin_up"], 1)
	}
	r, err := s.StartCase(c, rng)
	require.NoError(t, err, "%v", c)
	w := data.Window{Fields: s.Fields, Grid: c.Grid, Boundaries: c.Boundaries}
	first, last := make([]float32, len(w.Channels(false))*w.Points()), make([]float32, len(w.Channels(false))*w.Points())
	r.Frame(first)
	for range 2 {
		require.NoError(t, r.Advance(c.Interval), "%v", c)
	}
	r.Frame(last)
	change := 0.0
	for p, v := range last {
		require.True(t, finite(float64(v)), "%v", c)
		change = max(change, math.Abs(float64(v-first[p])))
	}
	assert.Greater(t, change, 1e-5, "%v stands still", c)
	constant := make([]float32, len(w.Channels(true))*w.Points())
	r.Constants(constant)
	for _, v := range constant {
		require.True(t, v > 0 && finite(float64(v)), "%v", c)
	}
}

// TestSameCase: a case and a seed determine all values of a frame.
func TestSameCase(t *testing.T) {
	for _, name := range volumes {
		s, err := Lookup(name)
		require.NoError(t, err)
		var got [2][]float32
		for i := range got {
			rng := rand.New(rand.NewPCG(21, 3))
			c, err := s.Vary(rng, Case{Grid: same(len(s.Grid), 8), Values: map[string]float64{}})
			require.NoError(t, err)
			if _, ok := c.Values["spin_up"]; ok {
				c.Values["spin_up"] = 0.5
			}
			r, err := s.StartCase(c, rng)
			require.NoError(t, err)
			w := data.Window{Fields: s.Fields, Grid: c.Grid}
			got[i] = make([]float32, len(w.Channels(false))*w.Points())
			r.Frame(got[i])
		}
		assert.Equal(t, got[0], got[1], name)
	}
}

// TestFitKeepsFixed: Resolve does not change the caller's choices.
func TestFitKeepsFixed(t *testing.T) {
	for name, parameter := range map[string]string{"rayleigh_benard": "Rayleigh", "rayleigh_taylor": "Reynolds"} {
		s, err := Lookup(name)
		require.NoError(t, err)
		grid := []int{16, 16}
		for seed := range uint64(20) {
			c, err := s.Vary(rand.New(rand.NewPCG(seed, 1)), Case{Grid: grid})
			require.NoError(t, err)
			assert.LessOrEqual(t, c.Values[parameter], 8*16.0*16*16, name)
		}
		c, err := s.Vary(generator(), Case{Grid: grid, Values: map[string]float64{parameter: 1e6}})
		require.NoError(t, err)
		assert.Equal(t, 1e6, c.Values[parameter], name)
	}
}

// TestSmooth: the same draws give the same field on a finer grid.
func TestSmooth(t *testing.T) {
	draw := func(n int) (*canvas, []float64) {
		c := newCanvas(Setup{Grid: []int{n, 2 * n}, Rng: generator(), system: &System{Length: []float64{1, 1}}})
		return c, c.smooth(2)
	}
	_, coarse := draw(16)
	c, fine := draw(48)
	assert.Equal(t, []float64{1, 2}, c.length)
	for p, v := range coarse {
		i, j := p/32, p%32
		// The centre of a coarse cell is the centre of every third fine cell.
		assert.InDelta(t, v, fine[(3*i+1)*96+3*j+1], 0.02)
	}
	mean := 0.0
	for _, v := range fine {
		mean += v / float64(len(fine))
	}
	assert.InDelta(t, 0, mean, 1e-12)
}
