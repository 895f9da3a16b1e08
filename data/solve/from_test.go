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

// frames returns the next n frames of a run, starting with the current one.
func frames(t *testing.T, s *System, r Run, grid []int, n int) [][]float32 {
	t.Helper()
	w := data.Window{Fields: s.Fields, Grid: grid}
	var out [][]float32
	for k := range n {
		if k > 0 {
			require.NoError(t, r.Advance(s.Interval))
		}
		frame := make([]float32, len(w.Channels(false))*w.Points())
		r.Frame(frame)
		out = append(out, frame)
	}
	return out
}

func constants(s *System, r Run, grid []int) []float32 {
	w := data.Window{Fields: s.Fields, Grid: grid}
	n := len(w.Channels(true)) * w.Points()
	if n == 0 {
		return nil
	}
	out := make([]float32, n)
	r.Constants(out)
	return out
}

// apart returns the largest difference between two frames, divided by the largest
// magnitude.
func apart(a, b []float32) float64 {
	worst, top := 0.0, 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
		top = max(top, math.Abs(float64(a[i])))
	}
	return worst / top
}

// began simulates for a short time and restarts from the resulting frame.
func began(t *testing.T, s *System, grid []int) (run, again Run, frame []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	fixed := map[string]float64{}
	if s.Name == "rayleigh_benard" {
		fixed["spin_up"] = 1.5 // long enough for motion, short enough for a test
	}
	values, err := s.Draw(rng, fixed)
	require.NoError(t, err)
	run, err = s.Start(grid, values, rng)
	require.NoError(t, err)
	frame = frames(t, s, run, grid, 3)[2]
	again, err = s.StartFrom(grid, values, Initial{Frame: frame, Constants: constants(s, run, grid)})
	require.NoError(t, err)
	return run, again, frame
}

// small returns a grid for tests. Kuramoto–Sivashinsky needs a fine one.
func small(s *System, n int) []int {
	if s.Name == "kuramoto_sivashinsky" {
		n = s.Grid[0]
	}
	return same(len(s.Grid), n)
}

// TestStartFrom: a run that starts from a frame of another run continues like it. If frames
// determine the state, the difference is the rounding of float32, amplified if the system
// is chaotic; on staggered grids it is the second-order error of averaging the velocities.
func TestStartFrom(t *testing.T) {
	staggered := map[string]bool{"acoustics": true, "rayleigh_benard": true, "rayleigh_taylor": true}
	for _, s := range Systems() {
		t.Run(s.Name, func(t *testing.T) {
			grid := small(s, 16)
			run, again, _ := began(t, s, grid)
			expected, got := frames(t, s, run, grid, 3), frames(t, s, again, grid, 3)
			assert.InDeltaSlice(t, constants(s, run, grid), constants(s, again, grid), 1e-6)
			if !staggered[s.Name] {
				for k := range expected {
					assert.Less(t, apart(expected[k], got[k]), 2e-4, "frame %d", k)
				}
				assert.Greater(t, apart(expected[0], expected[2]), 1e-3, "the system does not move, so the test says nothing")
				return
			}
			// Jumps of the density reduce the order of convergence of sound below two.
			coarse, fine := apart(expected[2], got[2]), small(s, 64)
			run, again, _ = began(t, s, fine)
			last := apart(frames(t, s, run, fine, 3)[2], frames(t, s, again, fine, 3)[2])
			t.Logf("16 points: %.3f, 64 points: %.3f", coarse, last)
			assert.Less(t, last, coarse/3)
			assert.Less(t, last, 0.1)
		})
	}
}

// TestFree: channels that Free names influence the run, the others do not.
func TestFree(t *testing.T) {
	for _, s := range Systems() {
		grid := small(s, 8)
		w := data.Window{Fields: s.Fields, Grid: grid}
		run, _, frame := began(t, s, grid)
		fixed := constants(s, run, grid)
		values, err := s.Draw(generator(), nil)
		require.NoError(t, err)
		next := func(f, c []float32) []float32 {
			r, err := s.StartFrom(grid, values, Initial{Frame: f, Constants: c})
			require.NoError(t, err, s.Name)
			return frames(t, s, r, grid, 2)[1]
		}
		plain, points := next(frame, fixed), w.Points()
		for i, name := range append(w.Channels(false), w.Channels(true)...) {
			f, c, part := slices.Clone(frame), slices.Clone(fixed), i
			array := f
			if n := len(w.Channels(false)); i >= n {
				array, part = c, i-n
			}
			for p := range points {
				// A wave along both axes, which no projection removes.
				array[part*points+p] *= 1 + 0.1*float32(math.Sin(float64(p)))
				array[part*points+p] += 0.01 * float32(math.Sin(2*float64(p)))
			}
			assert.Equal(t, slices.Contains(s.Free(), name), !slices.Equal(plain, next(f, c)), "%s: %s", s.Name, name)
		}
	}
}

// TestStartFromBoundaries: sound stays in a box with walls and leaves through open ends;
// the list of systems that take boundaries is correct.
func TestStartFromBoundaries(t *testing.T) {
	for _, s := range Systems() {
		grid := small(s, 8)
		run, _, _ := began(t, s, grid)
		_, ok := run.(bounded)
		assert.Equal(t, ok, s.TakesBoundaries(), s.Name)
	}
	s, err := Lookup("acoustics")
	require.NoError(t, err)
	grid := []int{32, 32}
	frame, still := make([]float32, 3*32*32), slices.Repeat([]float32{1}, 2*32*32)
	for p := range 32 * 32 {
		x, y := float64(p/32)/32-0.5, float64(p%32)/32-0.5
		frame[p] = float32(math.Exp(-80 * (x*x + y*y)))
	}
	left := func(b data.Boundaries) float64 {
		r, err := s.StartFrom(grid, map[string]float64{"contrast": 5}, Initial{Frame: frame, Constants: still, Boundaries: b})
		require.NoError(t, err)
		before := r.(*sound).energy()
		require.NoError(t, r.Advance(2))
		return r.(*sound).energy() / before
	}
	assert.InDelta(t, 1, left(all(2, data.Wall)), 5e-3)
	assert.Less(t, left(all(2, data.Open)), 0.1)
}

func TestStartFromErrors(t *testing.T) {
	water, err := Lookup("shallow_water")
	require.NoError(t, err)
	spots, err := Lookup("gray_scott")
	require.NoError(t, err)
	sound, err := Lookup("acoustics")
	require.NoError(t, err)
	flat := func(n int, v float32) []float32 { return slices.Repeat([]float32{v}, n) }
	for want, c := range map[string]struct {
		s  *System
		in Initial
	}{
		"frame 0: expected 192 values (3 channels [height velocity_x velocity_y] × grid [8 8]), got 5":   {water, Initial{Frame: flat(5, 1)}},
		"frame 0: field height is NaN at [0 0]":                                                          {water, Initial{Frame: flat(192, float32(math.NaN()))}},
		"point 0: height -1: expected a positive one":                                                    {water, Initial{Frame: flat(192, -1)}},
		"boundaries: expected [periodic periodic], the only ones that its solver knows, got [wall wall]": {spots, Initial{Frame: flat(128, 1), Boundaries: all(2, data.Wall)}},
		"boundaries: expected one per axis (2), got 1":                                                   {water, Initial{Frame: flat(192, 1), Boundaries: all(1, data.Wall)}},
		"constant fields: expected 128 values":                                                           {sound, Initial{Frame: flat(192, 1), Constants: flat(3, 1)}},
		"density at point 0: expected a positive one, got 0":                                             {sound, Initial{Frame: flat(192, 1), Constants: flat(128, 0)}},
	} {
		values, err := c.s.Draw(generator(), nil)
		require.NoError(t, err)
		_, err = c.s.StartFrom([]int{8, 8}, values, c.in)
		assert.ErrorContains(t, err, want)
	}
	_, err = water.StartFrom([]int{8}, nil, Initial{Frame: flat(24, 1)})
	assert.Error(t, err)
}
