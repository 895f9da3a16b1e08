package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestImprint: noise does not stand out at the patch frequency; a grid of patches does.
func TestImprint(t *testing.T) {
	grid := []int{32, 32}
	rng := rand.New(rand.NewPCG(1, 1))
	mean := 0.0
	const runs = 40
	for range runs {
		noise := make([]float64, 32*32)
		for i := range noise {
			noise[i] = rng.NormFloat64()
		}
		mean += imprint(noise, grid) / runs
	}
	require.InDelta(t, 1, mean, 0.3)
	tiles := make([]float64, 32*32)
	for i := range tiles {
		tiles[i] = 0.01*rng.NormFloat64() + math.Cos(2*math.Pi*float64(i/32)/patch)
	}
	require.Greater(t, imprint(tiles, grid), 100.)
}

// TestWave: each half of a wave has the power 1/4.
func TestWave(t *testing.T) {
	field := make([]float64, 16*8)
	for i := range field {
		field[i] = math.Cos(2 * math.Pi * (3*float64(i/8)/16 + float64(i%8)/8))
	}
	require.InDelta(t, 0.25, wave(field, []int{16, 8}, 3, 1), 1e-12)
	require.InDelta(t, 0, wave(field, []int{16, 8}, 3, 0), 1e-12)
	require.InDelta(t, 0.5, variance(field), 1e-12)
}

// TestJoin: two joined halves give the spectra and the median of all runs.
func TestJoin(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	all, parts := newImprints(), []*imprints{newImprints(), newImprints()}
	for i := range 6 {
		pred, ref := make([]float32, 256), make([]float32, 256)
		for k := range pred {
			pred[k], ref[k] = rng.Float32(), rng.Float32()
		}
		all.error("a", pred, ref, []int{16, 16})
		parts[i/4].error("a", pred, ref, []int{16, 16})
	}
	joined := newImprints()
	joined.join(parts[0])
	joined.join(parts[1])
	require.Equal(t, all.Ratio(), joined.Ratio())
	require.InDeltaSlice(t, all.spectra()["a"], joined.spectra()["a"], 1e-12)
	require.Len(t, joined.chart().Lines, len(variants))
}
