package solve

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uniform sets the modes of a field to those of a constant.
func uniform(b *periodic, hat []complex128, v float64) {
	clear(hat)
	hat[0] = complex(v*float64(b.points), 0)
}

// TestOrderOfRods: without activity, the order of uniform rods approaches S as the solution
// of dq/dt = q (1 − 4q²/S²), and the number of rods is conserved.
func TestOrderOfRods(t *testing.T) {
	s, err := Lookup("active_matter")
	require.NoError(t, err)
	r := start(t, s, []int{8, 8}, map[string]float64{"activity": 0, "order": 0.8}).(*activeRun)
	r.step = func() float64 { return 0.05 }
	uniform(r.box, r.hat[0], 1)
	uniform(r.box, r.hat[1], 0.03)
	uniform(r.box, r.hat[2], 0.04)
	require.NoError(t, r.Advance(2))
	got := frame(r, 11, 64)
	q := 1 / math.Sqrt(1/0.16+(1/0.0025-1/0.16)*math.Exp(-4))
	assert.InDelta(t, 0.5+0.6*q, got[3][0], 1e-6)
	assert.InDelta(t, 0.8*q, got[4][0], 1e-6)

	r = start(t, s, []int{16, 24}, nil).(*activeRun)
	before := r.hat[0][0]
	require.NoError(t, r.Advance(1))
	assert.InDelta(t, real(before), real(r.hat[0][0]), 1e-9)
	got = frame(r, 11, r.box.points)
	for p := range r.box.points {
		require.InDelta(t, got[0][p], got[3][p]+got[6][p], 1e-6, "the trace of D")
		require.InDelta(t, 0, got[7][p]+got[10][p], 1e-6, "the trace of E")
	}
}

// TestBendInstability: aligned rods are unstable to bending, with the growth rate ζ k²/(k²
// + 1/20) (S/2 + λ/2) − K k².
func TestBendInstability(t *testing.T) {
	s, err := Lookup("active_matter")
	require.NoError(t, err)
	values := map[string]float64{"activity": 2, "order": 0.8, "alignment": 0.6, "elasticity": 0.3}
	r := start(t, s, []int{16, 12}, values).(*activeRun)
	wave := make([]float64, r.box.points)
	r.box.addWave(wave, []int{2, 0}, 1e-7, 0)
	uniform(r.box, r.hat[0], 1)
	uniform(r.box, r.hat[1], 0.4)
	r.box.forward(r.hat[2], wave)
	mode := 2 * 12
	before := r.hat[2][mode]
	require.NoError(t, r.Advance(1.5))
	k2 := math.Pow(2*math.Pi*2/12, 2)
	rate := 2*k2/(k2+0.05)*(0.4+0.3) - 0.3*k2
	assert.InDelta(t, rate, math.Log(cmplx.Abs(r.hat[2][mode]/before))/1.5, 1e-5)
}

// TestRelaxationOfMolecules: without flow, uniform molecules follow the ordinary
// differential equation C' = −(fC − I)/Wi.
func TestRelaxationOfMolecules(t *testing.T) {
	s, err := Lookup("viscoelastic")
	require.NoError(t, err)
	r := start(t, s, []int{8, 8}, map[string]float64{"Weissenberg": 2, "forcing": 0}).(*polymerRun)
	clear(r.hat[0])
	c := []float64{5, 1.5, 2, 3}
	for i, v := range c {
		uniform(r.box, r.hat[1+i], v)
	}
	require.NoError(t, r.Advance(1))
	const h = 1e-4
	for range int(1 / h) {
		f := peterlin(c[0] + c[2] + c[3])
		for i, rest := range []float64{1, 0, 1, 1} {
			c[i] -= h * (f*c[i] - rest) / 2
		}
	}
	for i, v := range c {
		assert.InDelta(t, v, real(r.hat[1+i][0])/64, 1e-3)
	}
}

// TestShearWave: a weak shear wave along either axis follows the linear equations of
// velocity and stress: u' = −βk²/Re u + ik g c, c' = ik u − (1/Wi + κk²) c.
func TestShearWave(t *testing.T) {
	s, err := Lookup("viscoelastic")
	require.NoError(t, err)
	for axis := range 2 {
		values := map[string]float64{"Reynolds": 2, "Weissenberg": 3, "solvent": 0.4, "forcing": 0, "diffusivity": 0.05}
		r := start(t, s, []int{12, 12}, values).(*polymerRun)
		for i, v := range []float64{0, 1, 0, 1, 1} {
			uniform(r.box, r.hat[i], v)
		}
		wave, modes := make([]float64, r.box.points), []int{0, 0}
		modes[axis] = 1
		r.box.addWave(wave, modes, 1e-7, 0)
		r.box.forward(r.hat[0], wave) // the vorticity is ±ik u
		mode, sign := 12, complex(0, 1)
		if axis == 1 {
			mode, sign = 1, complex(0, -1)
		}
		u, c := r.hat[0][mode]/sign, complex(0, 0)
		require.NoError(t, r.Advance(1))
		g, h := complex(0.6/6, 0), complex(1e-5, 0)
		rate := func(u, c complex128) (du, dc complex128) { return -0.2*u + 1i*g*c, 1i*u - (1.0/3+0.05)*c }
		for range 100000 {
			du, dc := rate(u, c)
			eu, ec := rate(u+h/2*du, c+h/2*dc)
			u, c = u+h*eu, c+h*ec
		}
		assert.InDelta(t, 0, cmplx.Abs(r.hat[0][mode]/sign-u)/cmplx.Abs(u), 1e-5, "axis %d", axis)
		assert.InDelta(t, 0, cmplx.Abs(r.hat[2][mode]-c)/cmplx.Abs(c), 1e-5, "axis %d", axis)
	}
}

// TestStretching: without relaxation and diffusion the flow only deforms the molecules, and
// the determinant C_xx C_yy − C_xy² stays 1.
func TestStretching(t *testing.T) {
	s, err := Lookup("viscoelastic")
	require.NoError(t, err)
	values := map[string]float64{"Reynolds": 10, "Weissenberg": 1e9, "diffusivity": 0}
	r := start(t, s, []int{48, 48}, values).(*polymerRun)
	for i, v := range []float64{1, 0, 1, 1} {
		uniform(r.box, r.hat[1+i], v)
	}
	vorticity := r.box.random(generator(), 1)
	r.box.topSpeed(vorticity, 1)
	r.box.forward(r.hat[0], vorticity)
	require.NoError(t, r.Advance(0.6))
	got, most := frame(r, 8, r.box.points), float32(0)
	for p := range r.box.points {
		xx, xy, yy := got[4][p], got[5][p], got[7][p]
		require.InDelta(t, 1, xx*yy-xy*xy, 1e-4)
		most = max(most, xx)
	}
	assert.Greater(t, most, float32(1.5), "the flow stretches")
}
