package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBeltrami: the Arnold–Beltrami–Childress flow decays without changing shape, and its
// pressure balances the kinetic energy.
func TestBeltrami(t *testing.T) {
	s, err := Lookup("navier_stokes_3d")
	require.NoError(t, err)
	r := start(t, s, []int{16, 12, 14}, map[string]float64{"Reynolds": 5}).(*flow3D)
	b := r.box
	flow := b.knownFlow(Setup{Start: "abc", Rng: generator()})
	b.forwards(r.hat, flow)
	require.NoError(t, r.Advance(0.7))
	decay, mean := math.Exp(-0.7/5), 0.0
	for p := range b.points {
		mean += (flow[0][p]*flow[0][p] + flow[1][p]*flow[1][p] + flow[2][p]*flow[2][p]) / float64(b.points)
	}
	got := frame(r, 4, b.points)
	for p := range b.points {
		square := 0.0
		for i, f := range flow {
			require.InDelta(t, decay*f[p], got[1+i][p], 1e-6)
			square += f[p] * f[p]
		}
		require.InDelta(t, decay*decay*(mean-square)/2, got[0][p], 1e-5)
	}
}

// TestTaylorGreen3D: vortices in each pair of axes decay as in 2D and have the known
// pressure.
func TestTaylorGreen3D(t *testing.T) {
	s, err := Lookup("navier_stokes_3d")
	require.NoError(t, err)
	for axis := range 3 {
		r := start(t, s, same(3, 12), map[string]float64{"Reynolds": 10}).(*flow3D)
		b, u := r.box, r.box.scratch(3)
		x, y := (axis+1)%3, (axis+2)%3
		for p := range b.points {
			at := b.position(p)
			u[x][p], u[y][p] = math.Sin(at[x])*math.Cos(at[y]), -math.Cos(at[x])*math.Sin(at[y])
		}
		b.forwards(r.hat, u)
		require.NoError(t, r.Advance(0.5))
		decay, got := math.Exp(-2*0.5/10), frame(r, 4, b.points)
		for p := range b.points {
			at := b.position(p)
			require.InDelta(t, decay*u[x][p], got[1+x][p], 1e-6)
			require.InDelta(t, decay*decay/4*(math.Cos(2*at[x])+math.Cos(2*at[y])), got[0][p], 1e-6)
		}
	}
}

// TestEnergy3D: without viscosity a random flow keeps its energy, and its divergence is 0.
func TestEnergy3D(t *testing.T) {
	s, err := Lookup("navier_stokes_3d")
	require.NoError(t, err)
	r := start(t, s, []int{12, 16, 14}, map[string]float64{"Reynolds": 1e12}).(*flow3D)
	for _, f := range r.hat {
		r.box.dealias(f)
	}
	energy := func() (sum float64) {
		for i, v := range r.hat[0] {
			divergence := complex(r.box.k[0][i], 0)*v + complex(r.box.k[1][i], 0)*r.hat[1][i] + complex(r.box.k[2][i], 0)*r.hat[2][i]
			require.InDelta(t, 0, real(divergence*complex(real(divergence), -imag(divergence))), 1e-18)
			for _, f := range r.hat {
				sum += real(f[i])*real(f[i]) + imag(f[i])*imag(f[i])
			}
		}
		return sum
	}
	before, first := energy(), r.hat[0][1]
	require.NoError(t, r.Advance(0.5))
	assert.InDelta(t, 1, energy()/before, 1e-6)
	assert.NotEqual(t, first, r.hat[0][1])
}

// TestUniformFlow: a uniform flow transports a scalar while it diffuses.
func TestUniformFlow(t *testing.T) {
	s, err := Lookup("advection_diffusion")
	require.NoError(t, err)
	r := start(t, s, []int{32, 16}, map[string]float64{"diffusivity": 0.01}).(*passive)
	b := r.box
	r.step = func() float64 { return 0.01 }
	wave, uniform := make([]float64, b.points), make([]float32, 2*b.points)
	b.addWave(wave, []int{2, -1}, 1, 0.5)
	for p := range b.points {
		uniform[p], uniform[b.points+p] = 0.5, -0.25
	}
	first := make([]float32, b.points)
	narrow(first, wave)
	require.NoError(t, r.restart(first, uniform))
	require.NoError(t, r.Advance(0.5)) // 8 cells along x, −2 along y
	decay := math.Exp(-0.01 * 4 * math.Pi * math.Pi * 5 * 0.5)
	for p, v := range frame(r, 1, b.points)[0] {
		i, j := p/16, p%16
		require.InDelta(t, decay*wave[(i+24)%32*16+(j+2)%16], v, 1e-5)
	}
}
