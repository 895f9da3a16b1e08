package walrus_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestEstimateForecast checks the exact parts of the footprint of the released network by
// hand, and how the estimate grows.
func TestEstimateForecast(t *testing.T) {
	c := walrus.Walrus()
	periodic := data.Both(data.Periodic)
	s := walrus.ForecastShape{Grid: []int{128, 128}, Boundaries: data.Boundaries{periodic, periodic}, Steps: 6, Variable: 5, Constant: 1}
	estimate := func(change func(s *walrus.ForecastShape)) walrus.Footprint {
		s := s
		change(&s)
		f, err := walrus.EstimateForecast(c, s)
		require.NoError(t, err)
		return f
	}
	f := estimate(func(*walrus.ForecastShape) {})
	count, err := c.Count()
	require.NoError(t, err)
	assert.Equal(t, count.Bytes, f.Weights)
	assert.EqualValues(t, 4*128*128*(2*6*5+2), f.Frames)
	assert.Zero(t, f.Cache)
	assert.Equal(t, f.Weights+f.Wide+f.Activations+f.Frames, f.Total())

	half := estimate(func(s *walrus.ForecastShape) { s.Weights = walrus.BFloat16 })
	quarter := estimate(func(s *walrus.ForecastShape) { s.Weights = walrus.Int8 })
	assert.InEpsilon(t, f.Weights/2, half.Weights, 0.01)
	assert.InEpsilon(t, f.Weights/4, quarter.Weights, 0.01)
	assert.Equal(t, half.Wide, quarter.Wide)
	assert.Greater(t, half.Wide, f.Wide)
	assert.Less(t, half.Wide, f.Wide+2*f.Weights/int64(c.Blocks), "one block at a time")

	cached := estimate(func(s *walrus.ForecastShape) { s.Cache = &walrus.Cache{Frames: 9} })
	plan, err := mustModel(t, c).Plan(s.Grid, s.Boundaries)
	require.NoError(t, err)
	assert.EqualValues(t, 4*2*8*c.Blocks*plan.Tokens()*c.Hidden, cached.Cache)
	assert.Less(t, cached.Activations, f.Activations/4, "one frame instead of six")
	draws := estimate(func(s *walrus.ForecastShape) { s.Draws = 3 })
	assert.InEpsilon(t, 3*f.Activations, draws.Activations, 0.01)

	for want, bad := range map[string]func(s *walrus.ForecastShape){
		"at least 1 step":                        func(s *walrus.ForecastShape) { s.Steps = 0 },
		"precision: expected Float32 or":         func(s *walrus.ForecastShape) { s.Precision = walrus.Int8 },
		"weights: expected Float32, BFloat16 or": func(s *walrus.ForecastShape) { s.Weights = 7 },
		"cache: expected":                        func(s *walrus.ForecastShape) { s.Cache = &walrus.Cache{Frames: -1} },
		"axis 0 has 0 points":                    func(s *walrus.ForecastShape) { s.Grid = []int{0} },
	} {
		s := s
		bad(&s)
		_, err := walrus.EstimateForecast(c, s)
		assert.ErrorContains(t, err, want)
	}
}

func mustModel(t *testing.T, c walrus.Config) *walrus.Model {
	t.Helper()
	m, err := walrus.NewModel(c)
	require.NoError(t, err)
	return m
}
