package data

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []float64
	var merged Moments
	for _, n := range []int{0, 1, 7, 0, 1000, 3} {
		part := make([]float64, n)
		for i := range part {
			part[i] = 1e6 + rng.NormFloat64() // a variance that naive sums of squares would lose
		}
		all = append(all, part...)
		merged.Add(MomentsOf(part))
	}
	sum := 0.0
	for _, v := range all {
		sum += v - 1e6
	}
	mean := sum / float64(len(all))
	square := 0.0
	for _, v := range all {
		square += (v - 1e6 - mean) * (v - 1e6 - mean)
	}
	assert.InEpsilon(t, square/float64(len(all)), merged.Variance(), 1e-9)
	assert.InDelta(t, 1e6+mean, merged.Mean, 1e-9)
	assert.InEpsilon(t, math.Sqrt(merged.Variance()+merged.Mean*merged.Mean), merged.RMS(), 1e-15)
	assert.Equal(t, float64(len(all)), merged.Count)
	assert.Zero(t, Moments{}.Std())
}
