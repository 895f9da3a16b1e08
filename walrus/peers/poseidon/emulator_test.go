package poseidon

import (
	"context"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func emulate(t *testing.T, w *Weights) *Emulator {
	t.Helper()
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// TestRollout: a rollout feeds predictions back, keeps further input channels, and stops when
// its reader does.
func TestRollout(t *testing.T) {
	c := small()
	c.InChannels, c.OutChannels, c.Groups = 3, 2, nil
	w := lively(t, c)
	defer w.Close()
	e := emulate(t, w)
	const points = 16 * 16
	x, shape := tensors.MustCopyFlatData[float32](testbackend.Normal("x", 1, 3, 16, 16)), []int{1, 3, 16, 16}
	var frames [][]float32
	for y, err := range e.Rollout(t.Context(), x, shape, 3) {
		require.NoError(t, err)
		require.Len(t, y, 2*points)
		frames = append(frames, y)
	}
	require.Len(t, frames, 3)
	again := append(frames[0][:2*points:2*points], x[2*points:]...)
	for y, err := range e.RolloutAfter(t.Context(), again, shape, []float32{LeadTime, LeadTime, 1}) {
		require.NoError(t, err)
		assert.Equal(t, frames[1], y)
		break
	}
}

func TestRolloutErrors(t *testing.T) {
	w := lively(t, small())
	defer w.Close()
	e := emulate(t, w)
	first := func(ctx context.Context, e *Emulator, n int, shape []int, steps int) error {
		for _, err := range e.Rollout(ctx, make([]float32, n), shape, steps) {
			return err
		}
		return nil
	}
	assert.ErrorAs(t, first(t.Context(), e, 2*15*15, []int{1, 2, 15, 15}, 1), new(*csm.GridError))
	assert.ErrorContains(t, first(t.Context(), e, 7, []int{1, 2, 16, 16}, 1), "expected as many values as shape [1 2 16 16]")
	assert.ErrorContains(t, first(t.Context(), e, 3*256, []int{1, 3, 16, 16}, 1), "expected 2 channels, got 3; Weights.WithChannels")
	assert.ErrorContains(t, first(t.Context(), e, 512, []int{2, 16, 16}, 1), "expected frames [batch, channels, height, width]")
	assert.ErrorContains(t, first(t.Context(), e, 512, []int{1, 2, 16, 16}, 0), "expected 1 to")
	assert.ErrorContains(t, first(t.Context(), &Emulator{}, 512, []int{1, 2, 16, 16}, 1), "expected an emulator of NewEmulator")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, first(ended, e, 512, []int{1, 2, 16, 16}, 1), context.Canceled)
	c := small()
	c.OutChannels, c.Groups = 3, nil
	wide := lively(t, c)
	defer wide.Close()
	assert.ErrorContains(t, first(t.Context(), emulate(t, wide), 512, []int{1, 2, 16, 16}, 2), "expected one step")
	_, err := NewEmulator(nil, testbackend.New(t))
	assert.ErrorContains(t, err, "expected weights and a backend")
}
