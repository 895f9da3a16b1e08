package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func quiet(n []int, length []float64, bcs data.Boundaries) *sound {
	s := newSound(n, length, bcs)
	for p := range s.density {
		s.density[p] = 1
	}
	return s
}

// TestStandingWave: between walls cos(kx) oscillates as cos(ωt), ω = ck, with a
// second-order error.
func TestStandingWave(t *testing.T) {
	wrong := func(n int) float64 {
		s := quiet([]int{n, 8}, []float64{1, 1}, all(2, data.Wall))
		wave := make([]float64, n)
		for i := range wave {
			wave[i] = math.Cos(3 * math.Pi * (float64(i) + 0.5) / float64(n))
		}
		for p := range s.state[0] {
			s.state[0][p] = wave[p/8]
		}
		const time = 0.37
		require.NoError(t, s.Advance(time))
		worst := 0.0
		for p, v := range s.state[0] {
			worst = max(worst, math.Abs(v-wave[p/8]*math.Cos(2*3*math.Pi*time)))
		}
		return worst
	}
	assert.Less(t, wrong(64), 0.01)
	assert.InDelta(t, 2, math.Log2(wrong(32)/wrong(64)), 0.2)
}

// TestSoundEnergy: with walls or periodic axes the energy is conserved in any medium;
// through open ends it leaves.
func TestSoundEnergy(t *testing.T) {
	for _, c := range []struct {
		bcs  data.Boundaries
		keep float64
	}{
		{all(2, data.Wall), 1}, {all(2, data.Periodic), 1}, {data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, 1}, {all(2, data.Open), 0.05},
	} {
		s := quiet([]int{32, 32}, []float64{1, 1}, c.bcs)
		noise := newPeriodic(s.n[:], []float64{1, 1}).random(generator(), 2)
		for p, v := range noise {
			s.density[p] = 1
			if v > 0.5 {
				s.density[p] = 4
			}
			x, y := float64(p/32)/32-0.5, float64(p%32)/32-0.5
			s.state[0][p] = math.Exp(-80 * (x*x + y*y))
		}
		before := s.energy()
		require.NoError(t, s.Advance(1.5))
		ratio := s.energy() / before
		if c.keep == 1 {
			assert.InDelta(t, 1, ratio, 2e-3, "%v", c.bcs)
		} else {
			assert.Less(t, ratio, c.keep, "%v", c.bcs)
		}
	}
}

// TestConduction: without motion the linear profile persists, and the pressure balances the
// weight of the fluid; motion has no divergence.
func TestConduction(t *testing.T) {
	s := newConvection([]int{16, 16}, []float64{1, 1}, 1e4, 1)
	for p := range s.q[0] {
		s.q[0][p] = 1 - (float64(p%16)+0.5)/16
	}
	require.NoError(t, s.Advance(1))
	for p := range s.q[0] {
		y := (float64(p%16) + 0.5) / 16
		require.InDelta(t, 1-y, s.q[0][p], 1e-12)
		require.InDelta(t, 0, s.q[1][p], 1e-12)
		require.InDelta(t, 0, s.q[2][p], 1e-12)
		// ∂p/∂y = b.
		require.InDelta(t, y-y*y/2-1.0/3, s.pressure[p], 2e-3)
	}
}

// TestOnsetOfConvection: below the critical Rayleigh number 1708 a perturbation decays,
// above it grows (rolls of the critical wave number 3.117).
func TestOnsetOfConvection(t *testing.T) {
	growth := func(rayleigh float64) float64 {
		const width = 2 * math.Pi / 3.117
		s := newConvection([]int{20, 20}, []float64{width, 1}, rayleigh, 1)
		for p := range s.q[0] {
			y := (float64(p%20) + 0.5) / 24
			s.q[0][p] = 1 - y + 1e-6*math.Cos(2*math.Pi*(float64(p/20)+0.5)/20)*math.Sin(math.Pi*y)
		}
		kinetic := func() (e float64) {
			for p := range s.q[1] {
				e += s.q[1][p]*s.q[1][p] + s.q[2][p]*s.q[2][p]
			}
			return e
		}
		require.NoError(t, s.Advance(15))
		before := kinetic()
		require.NoError(t, s.Advance(10))
		return math.Log(kinetic()/before) / 20
	}
	below, above := growth(1600), growth(1820)
	assert.Negative(t, below)
	assert.Positive(t, above)
	critical := 1600 + 220*below/(below-above)
	assert.InDelta(t, 1708, critical, 20, "from the line through both growth rates")
}

// TestConvectionHasNoDivergence: the moving fluid stays free of divergence.
func TestConvectionHasNoDivergence(t *testing.T) {
	sys, err := Lookup("rayleigh_benard")
	require.NoError(t, err)
	s := start(t, sys, []int{32, 16}, map[string]float64{"spin_up": 6}).(*convection)
	moving := 0.0
	for i := range s.nx {
		for j := range s.ny {
			div := (s.q[1][s.at(i+1, j)]-s.q[1][s.at(i, j)])/s.dx + (s.v(i, j+1)-s.v(i, j))/s.dy
			require.InDelta(t, 0, div, 1e-10)
			moving = max(moving, math.Abs(s.v(i, j)))
		}
	}
	assert.Greater(t, moving, 0.01)
}
