package mpp

import (
	"context"
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRollout: a rollout ends when the caller stops the loop or the context ends, and errors
// for bad input name the expected value.
func TestRollout(t *testing.T) {
	w := initialised(t, micro())
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	shape := []int{2, 1, 2, 16, 32}
	x := make([]float32, 2*2*16*32)
	for i := range x {
		x[i] = float32(i % 31)
	}
	s := System{Labels: []int{2, 0}}
	frames := 0
	for y, err := range e.Rollout(t.Context(), x, shape, s, 5) {
		require.NoError(t, err)
		assert.Len(t, y, 2*16*32)
		if frames++; frames == 2 {
			break
		}
	}
	assert.Equal(t, 2, frames)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	frames = 0
	for _, last = range e.Rollout(ctx, x, shape, s, 5) {
		if last == nil {
			frames++
			cancel()
		}
	}
	require.ErrorIs(t, last, context.Canceled)
	assert.Equal(t, 1, frames)

	for text, bad := range map[string]struct {
		x     []float32
		shape []int
		s     System
		steps int
	}{
		"expected at least one step, got 0":                           {x, shape, s, 0},
		"expected a window [time, batch, channels, height, width]":    {x, shape[1:], s, 1},
		"expected as many values as shape [2 1 2 16 32] has":          {x[1:], shape, s, 1},
		"axis 1 has 8 points":                                         {x[:512], []int{2, 1, 2, 16, 8}, s, 1},
		"expected one label for each of 2 channels, got 1":            {x, shape, System{Labels: []int{1}}, 1},
		"label of channel 1: expected 0 to 2, got 3; Weights.Expand":  {x, shape, System{Labels: []int{1, 3}}, 1},
		"label of channel 0: expected 0 to 2, got -1; Weights.Expand": {x, shape, System{Labels: []int{-1, 0}}, 1},
	} {
		for y, err := range e.Rollout(t.Context(), bad.x, bad.shape, bad.s, bad.steps) {
			assert.Nil(t, y)
			require.ErrorContains(t, err, "mpp: rollout: ")
			require.ErrorContains(t, err, text)
		}
	}
	_, err = NewEmulator(nil, testbackend.New(t))
	require.ErrorContains(t, err, "expected weights and a backend")
	_, err = NewEmulator(w, nil)
	require.ErrorContains(t, err, "expected weights and a backend")
	for _, err := range new(Emulator).Rollout(t.Context(), x, shape, s, 1) {
		require.ErrorContains(t, err, "expected an emulator of NewEmulator")
	}
}
