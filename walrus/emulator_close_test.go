package walrus_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestCloseInLoop: Close in the loop of the emulator's own rollout ends that rollout with
// ErrClosed, as do all later calls.
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
	for _, err := range em.Ensemble(context.Background(), w, 1, walrus.EnsembleOptions{Members: 2}) {
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

// TestFreeWeightsDuringRollouts: a rollout goes on with weights that are freed meanwhile, and
// the next one is an error until they have values again.
func TestFreeWeightsDuringRollouts(t *testing.T) {
	weights, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer em.Close()
	copied, err := weights.Clone()
	require.NoError(t, err)
	steps := 0
	for _, err := range em.Rollout(context.Background(), plane(), 3) {
		require.NoError(t, err)
		steps++
		weights.Close()
		x, _ := copied.Tensor("encoder_dummy")
		require.ErrorContains(t, weights.Set("encoder_dummy", x), "the weights were freed and are still in use")
	}
	require.Equal(t, 3, steps)
	_, ok := weights.Tensor("encoder_dummy")
	require.False(t, ok)
	_, err = em.Emulate(context.Background(), plane())
	require.EqualError(t, err, "walrus: rollout: the weights were freed")
	_, err = weights.Clone()
	require.ErrorIs(t, err, walrus.ErrWeightsClosed)
	for _, p := range copied.Params() {
		x, _ := copied.Tensor(p.Key)
		same, err := x.LocalClone()
		require.NoError(t, err)
		require.NoError(t, weights.Set(p.Key, same))
	}
	_, err = em.Emulate(context.Background(), plane())
	require.NoError(t, err)
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

// TestMemoryLimit: a rollout that cannot fit is refused before anything is allocated, and
// one that fits is not.
func TestMemoryLimit(t *testing.T) {
	em := newEmulator(t, walrus.EmulatorOptions{MemoryLimit: 64 << 20})
	_, err := em.Emulate(context.Background(), plane())
	require.NoError(t, err)
	large := plane()
	large.Grid = []int{2048, 2048}
	for i := range large.Frames {
		large.Frames[i] = make([]float32, len(large.Channels(false))*2048*2048)
	}
	begin := time.Now()
	_, err = em.Emulate(context.Background(), large)
	var memory *walrus.MemoryError
	require.ErrorAs(t, err, &memory)
	require.EqualValues(t, 64<<20, memory.Limit)
	require.Greater(t, memory.Need, int64(2*4*len(large.Frames)*len(large.Frames[0])), "more than the frames on host and device")
	require.ErrorContains(t, err, "a forecast on the grid [2048 2048] from 3 frames needs about ")
	require.Less(t, time.Since(begin), 5*time.Second)

	require.Equal(t, memory.Need, memory.Footprint.Total())
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: livelyWeights(t, smallConfig())}))
	_, err = walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t), MemoryLimit: 1 << 10})
	require.ErrorAs(t, err, &memory)
	require.ErrorContains(t, err, "walrus: loading: the weights alone need ")

	many := plane()
	for len(many.Frames) < 1<<17 {
		many.Frames = append(many.Frames, many.Frames[0])
	}
	_, err = newEmulator(t, walrus.EmulatorOptions{}).Emulate(context.Background(), many)
	require.ErrorAs(t, err, &memory, "the scores of attention in time do not fit into any machine")
}

// TestNonsenseEmulator: options and calls that cannot be meant are errors.
func TestNonsenseEmulator(t *testing.T) {
	b := testbackend.New(t)
	for want, o := range map[string]walrus.EmulatorOptions{
		"expected an ensemble of at least 1 and at most": {Ensemble: 1 << 40},
		"expected a batch of at least 1":                 {Batch: -1},
		"expected at least 1 program":                    {Programs: -1},
		"resize: axis 0: expected a number of points":    {Resize: walrus.Resize{-1, 2, 3}},
	} {
		o.Backend = b
		require.ErrorContains(t, o.Validate(), want)
	}
	var none context.Context
	_, err := newEmulator(t, walrus.EmulatorOptions{}).Forecast(none, plane(), 1)
	require.ErrorContains(t, err, "expected a context, got nil")
	_, err = new(walrus.Emulator).Emulate(context.Background(), plane())
	require.ErrorContains(t, err, "expected an emulator of NewEmulator or Load")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = newEmulator(t, walrus.EmulatorOptions{}).Emulate(canceled, plane())
	require.ErrorIs(t, err, context.Canceled)
}
