package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInternalWave: in fluid whose density decreases linearly with height, a weak wave
// oscillates at the frequency N kx/|k|.
func TestInternalWave(t *testing.T) {
	const n, weak, slope = 32, 1e-3, 1.0 // N² = slope
	r := newTaylor([]int{n, n}, []float64{1, 1}, 1, 2e4, 1)
	mode := func(p int) float64 {
		return math.Cos(2*math.Pi*(float64(p/n)+0.5)/n) * math.Sin(math.Pi*(float64(p%n)+0.5)/n)
	}
	for p := range r.q[0] {
		r.q[0][p] = slope*(float64(p%n)+0.5)/n + weak*mode(p)
	}
	share := func() float64 {
		sum := 0.0
		for p, b := range r.q[0] {
			sum += 4 * b * mode(p) / (n * n * weak)
		}
		return sum
	}
	require.InDelta(t, 1, share(), 1e-6)
	half := math.Pi / (math.Sqrt(slope) * 2 / math.Sqrt(5))
	mass := sums(r.q[:1])[0]
	require.NoError(t, r.Advance(half/2))
	assert.InDelta(t, 0, share(), 0.03)
	require.NoError(t, r.Advance(half/2))
	assert.InDelta(t, -1, share(), 0.05)
	assert.InDelta(t, mass, sums(r.q[:1])[0], 1e-9, "no density passes the walls")
}

// TestHeavyAboveLight: the interface of heavy above light fluid grows.
func TestHeavyAboveLight(t *testing.T) {
	s, err := Lookup("rayleigh_taylor")
	require.NoError(t, err)
	r := start(t, s, []int{16, 32}, nil).(taylorRun)
	energy := func() (e float64) {
		for p := range r.q[1] {
			e += r.q[1][p]*r.q[1][p] + r.q[2][p]*r.q[2][p]
		}
		return e
	}
	require.NoError(t, r.Advance(1))
	before := energy()
	require.NoError(t, r.Advance(3))
	assert.Greater(t, energy(), 10*before)
}
