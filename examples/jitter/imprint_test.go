package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestImprint: noise does not stick out at the patch frequency; a grid of patches does.
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

// TestWave: a wave has the power 1/4 of each of its two halves.
func TestWave(t *testing.T) {
	field := make([]float64, 16*8)
	for i := range field {
		field[i] = math.Cos(2 * math.Pi * (3*float64(i/8)/16 + float64(i%8)/8))
	}
	require.InDelta(t, 0.25, wave(field, []int{16, 8}, 3, 1), 1e-12)
	require.InDelta(t, 0, wave(field, []int{16, 8}, 3, 0), 1e-12)
	require.InDelta(t, 0.5, variance(field), 1e-12)
}

// TestSurvive: a forecast that diverges after two steps ends far off, and is asked for
// once.
func TestSurvive(t *testing.T) {
	calls := 0
	f := remember(survive(func(_ context.Context, _ *data.Window, steps int) ([][]float32, error) {
		calls++
		if steps > 2 {
			return nil, errors.New("diverged")
		}
		return make([][]float32, steps, 9), nil
	}))
	frames, err := f(context.Background(), &data.Window{}, 4)
	require.NoError(t, err)
	require.Len(t, frames, 4)
	before := calls
	_, err = f(context.Background(), &data.Window{}, 3)
	require.NoError(t, err)
	require.Equal(t, before, calls)
}
