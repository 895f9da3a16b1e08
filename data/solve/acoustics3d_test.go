package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestSoundBetweenMedia: a pulse that meets a medium of higher impedance Z is reflected
// with the factor (Z₂ − Z₁)/(Z₂ + Z₁) and transmitted with 2Z₂/(Z₂ + Z₁).
func TestSoundBetweenMedia(t *testing.T) {
	const n, rho = 256, 9.0
	fv := newFiniteVolume(elastic{2}, []int{n, 2}, []float64{4, 1}, all(2, data.Open))
	area := 0.0
	for p := range fv.points {
		x := 4 * (float64(p/2) + 0.5) / n
		w := []float64{math.Exp(-(x - 1) * (x - 1) / 0.04), 0, 0, 1}
		w[1] = w[0] / 2 // moves to the right: Z = 2, c = 2
		if x > 2 {
			w[3] = rho // Z = 6, c = 2/3
		}
		area += w[0]
		fv.set(p, w)
	}
	require.NoError(t, fv.advance(0.9))
	back, through, highest := 0.0, 0.0, 0.0
	for p, strain := range fv.q[0] {
		pressure := bulkModulus * strain
		if p/2 < n/2 {
			back += pressure / area
			highest = max(highest, pressure)
		} else {
			through += pressure / area * 3 // the transmitted pulse is shorter by the ratio of the speeds of sound
		}
	}
	assert.InDelta(t, 0.5, back, 0.003)
	assert.InDelta(t, 1.5, through, 0.01)
	assert.InDelta(t, 0.5, highest, 0.03)
}

// TestStandingWave3D: between walls cos(kz) oscillates as cos(ωt), with a second-order
// error.
func TestStandingWave3D(t *testing.T) {
	wrong := func(n int) float64 {
		fv := newFiniteVolume(elastic{3}, []int{4, 4, n}, same(3, 1.0), all(3, data.Wall))
		wave := func(p int) float64 { return math.Cos(2 * math.Pi * (float64(p%n) + 0.5) / float64(n)) }
		for p := range fv.points {
			fv.set(p, []float64{wave(p), 0, 0, 0, 1})
		}
		const time = 0.4
		require.NoError(t, fv.advance(time))
		sum := 0.0
		for p, strain := range fv.q[0] {
			sum += math.Abs(bulkModulus*strain-wave(p)*math.Cos(4*math.Pi*time)) / float64(fv.points)
		}
		return sum
	}
	assert.Less(t, wrong(64), 0.01)
	assert.Greater(t, math.Log2(wrong(32)/wrong(64)), 1.7)
}
