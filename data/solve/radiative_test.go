package solve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestRadiation: gas at rest with a uniform temperature cools by the logistic equation
// dx/dt = −4x(1 − x)/(τ ln χ).
func TestRadiation(t *testing.T) {
	const cooling, contrast, x = 0.5, 20.0, 0.9
	g := radiating{gas{2, 5.0 / 3}, cooling, contrast}
	fv := newFiniteVolume(g, []int{8, 8}, []float64{1, 1}, all(2, data.Periodic))
	for p := range fv.points {
		fv.set(p, []float64{1, 0.2, 0, math.Pow(contrast, x-1)})
	}
	for range 4 {
		require.NoError(t, fv.advance(0.3))
	}
	want := 1 / (1 + (1/x-1)*math.Exp(4*1.2/(cooling*math.Log(contrast))))
	w := make([]float64, 4)
	g.primitive(w, fv.cell(make([]float64, 4), 5))
	assert.InDelta(t, want, 1+math.Log(w[3])/math.Log(contrast), 1e-4)
	assert.InDelta(t, 1, w[0], 1e-12)
}
