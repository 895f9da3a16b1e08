package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// divergence returns the largest divergence of the magnetic field, by central differences.
func (r *plasmaRun) divergence() float64 {
	worst, d, n := 0.0, r.plasma.dims, r.fv.n
	strides := make([]int, d)
	for a, stride := d-1, 1; a >= 0; a-- {
		strides[a], stride = stride, stride*n[a]
	}
	for p := range r.fv.points {
		sum := 0.0
		for a, stride := range strides {
			i := p / stride % n[a]
			high, low := p+((i+1)%n[a]-i)*stride, p+((i+n[a]-1)%n[a]-i)*stride
			sum += (r.fv.q[1+d+a][high] - r.fv.q[1+d+a][low]) / (2 * r.fv.spacing[a])
		}
		worst = max(worst, math.Abs(sum))
	}
	return worst
}

// TestPlasmaConserves: mass, momentum, magnetic field and energy are conserved up to
// rounding, and the magnetic field has no divergence.
func TestPlasmaConserves(t *testing.T) {
	for _, name := range []string{"mhd", "mhd_3d"} {
		s, err := Lookup(name)
		require.NoError(t, err)
		r := start(t, s, nil, nil).(*plasmaRun)
		before := sums(r.fv.q)
		require.NoError(t, r.Advance(0.05))
		for v, x := range sums(r.fv.q) {
			assert.InDelta(t, before[v], x, 1e-10*float64(r.fv.points), "%s variable %d", name, v)
		}
		assert.Less(t, r.divergence(), 1e-10, name)
	}
}

// TestAlfvenWave: a weak shear wave travels along a field B at speed B/√ρ without change,
// with a second-order error.
func TestAlfvenWave(t *testing.T) {
	wrong := func(n int) float64 {
		const weak, rho, field = 1e-4, 4.0, 1.0
		r := newPlasma(plasma{2, 1.4}, []int{n, 8}, []float64{1, 1})
		wave := func(p int, shift float64) float64 {
			return weak * math.Sin(2*math.Pi*((float64(p/8)+0.5)/float64(n)-shift))
		}
		for p := range r.fv.points {
			v := wave(p, 0)
			r.fv.set(p, []float64{rho, 0, -v / math.Sqrt(rho), field, v, 1})
		}
		const time = 0.5 // a quarter of a period
		require.NoError(t, r.Advance(time))
		sum := 0.0
		for p, v := range r.fv.q[4] {
			sum += math.Abs(v-wave(p, time*field/math.Sqrt(rho))) / weak / float64(r.fv.points)
		}
		return sum
	}
	assert.Less(t, wrong(64), 0.01)
	assert.Greater(t, math.Log2(wrong(32)/wrong(64)), 1.7)
}
