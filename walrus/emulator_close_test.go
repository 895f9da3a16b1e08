package walrus_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestCloseInLoop: an emulator may be closed in the loop of its own rollout, which then
// ends with ErrClosed, as do all later calls.
func TestCloseInLoop(t *testing.T) {
	em := newEmulator(t, walrus.EmulatorOptions{})
	w := plane()
	steps := 0
	var last error
	for _, err := range em.Rollout(context.Background(), w, 5) {
		if last = err; err == nil {
			steps++
			em.Close()
			em.Close()
		}
	}
	require.Equal(t, 1, steps)
	require.ErrorIs(t, last, walrus.ErrClosed)
	_, err := em.Emulate(context.Background(), w)
	require.EqualError(t, err, "walrus: rollout: the emulator is closed")
	require.ErrorIs(t, em.Prepare(w), walrus.ErrClosed)
	for _, err := range em.Average(context.Background(), w, 1, 2) {
		require.ErrorIs(t, err, walrus.ErrClosed)
	}
}

// TestCloseDuringRollouts: rollouts that run when the emulator is closed end with ErrClosed,
// and the last of them frees the weights.
func TestCloseDuringRollouts(t *testing.T) {
	weights, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: testbackend.New(t), OwnWeights: true, Cache: &walrus.Cache{}})
	require.NoError(t, err)
	var started, ended sync.WaitGroup
	for range 4 {
		started.Add(1)
		ended.Go(func() {
			var once sync.Once
			var last error
			for _, err := range em.Rollout(context.Background(), plane(), 1000) {
				once.Do(started.Done)
				last = err
			}
			require.ErrorIs(t, last, walrus.ErrClosed)
		})
	}
	started.Wait()
	em.Close()
	ended.Wait()
	_, ok := weights.Tensor("encoder_dummy")
	require.False(t, ok)
}

// TestPrograms: an emulator keeps the programs that were used last.
func TestPrograms(t *testing.T) {
	var log strings.Builder
	em := newEmulator(t, walrus.EmulatorOptions{Programs: 2, Log: slog.New(slog.NewTextHandler(&log, nil))})
	built := func(frames ...int) int {
		log.Reset()
		for _, n := range frames {
			w := plane()
			w.Frames = w.Frames[:n]
			_, err := em.Emulate(context.Background(), w)
			require.NoError(t, err)
		}
		return strings.Count(log.String(), "built")
	}
	require.Equal(t, 2, built(1, 2, 1, 2))
	require.Equal(t, 1, built(1, 3, 1))
	require.Equal(t, 1, built(2), "the one that was not used longest is gone")
}
