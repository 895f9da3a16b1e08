package nano

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/experiments/nano/lengths"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestDiverged: with the older weights the forecast of a gas between open sides grows without
// bound within 20 steps on a small grid. The rollout ends before that.
func TestDiverged(t *testing.T) {
	em, err := Open("nano-2026-11-30", walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	defer em.Close()
	w, err := lengths.Trial{System: "euler_open", Grid: []int{24, 24}, Seed: 1}.Window(context.Background())
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
