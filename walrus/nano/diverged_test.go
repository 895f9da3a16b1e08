package nano

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/experiments/nano/lengths"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestDiverged: on a grid that the older weights were not trained on, the forecast of a wave
// grows to VRMSE 100 within 20 steps. The rollout ends before that.
func TestDiverged(t *testing.T) {
	em, err := Open("nano-2026-11-24", walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	defer em.Close()
	w, err := lengths.Trial{System: "wave", Grid: []int{32, 32}, Seed: 1}.Window(context.Background())
	require.NoError(t, err)
	history, err := w.Slice(0, 6)
	require.NoError(t, err)
	steps := 0
	for frame, ended := range em.Rollout(context.Background(), history, lengths.Steps) {
		if err = ended; err == nil {
			steps = frame.Step
		}
	}
	var diverged *walrus.DivergedError
	require.ErrorAs(t, err, &diverged)
	require.ErrorIs(t, err, walrus.ErrDiverged)
	require.Equal(t, steps+1, diverged.Step)
	require.Less(t, steps, 15)
	require.NotEqual(t, walrus.NotFinite, diverged.Kind)
}
