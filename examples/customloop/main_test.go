package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newTestLoop(t *testing.T, name string, seed uint64) *loop {
	t.Helper()
	b, err := backend.Go()
	require.NoError(t, err)
	net, err := networks[name]()
	require.NoError(t, err)
	l, err := newLoop(b, net, 3e-3, seed)
	require.NoError(t, err)
	t.Cleanup(l.close)
	return l
}

// TestLoopConverges: twenty-five updates halve the loss, and the forecasts of unseen
// runs beat both baselines.
func TestLoopConverges(t *testing.T) {
	for name := range networks {
		t.Run(name, func(t *testing.T) {
			l := newTestLoop(t, name, 1)
			var first, last float32
			for i := range 25 {
				loss, err := l.step()
				require.NoError(t, err)
				if i < 5 {
					first += loss
				}
				if i >= 20 {
					last += loss
				}
			}
			assert.Less(t, last, first/2)
			s, err := judge(l.forecast)
			require.NoError(t, err)
			assert.Less(t, s.model, s.same)
			assert.Less(t, s.model, s.linear)
		})
	}
}

// TestLoopRepeats: the seed determines weights, data and jitter.
func TestLoopRepeats(t *testing.T) {
	losses := func(seed uint64) (out []float32) {
		l := newTestLoop(t, "parts", seed)
		for range 3 {
			loss, err := l.step()
			require.NoError(t, err)
			out = append(out, loss)
		}
		return out
	}
	one := losses(1)
	assert.Equal(t, one, losses(1))
	assert.NotEqual(t, one, losses(2))
}

// TestHandover: with the same draws the emulator makes the same forecast as the program
// of the loop.
func TestHandover(t *testing.T) {
	l := newTestLoop(t, "walrus", 1)
	for range 3 { // so that the blocks change their input
		_, err := l.step()
		require.NoError(t, err)
	}
	net := l.net.(whole)
	w := waves(rand.New(rand.NewPCG(7, 7)), history)
	l.rng = rand.New(rand.NewPCG(9, 9))
	draws := net.Draw(rand.New(rand.NewPCG(9, 9)), net.plan)
	want, err := l.forecast(w)
	require.NoError(t, err)

	b, err := backend.Go()
	require.NoError(t, err)
	weights, err := weights(l.store, net.Config())
	require.NoError(t, err)
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, OwnWeights: true})
	require.NoError(t, err)
	defer em.Close()
	for frame, err := range em.Replay(context.Background(), w, []walrus.Draws{draws}) {
		require.NoError(t, err)
		require.InDeltaSlice(t, want, frame.Values, 1e-4)
	}
}

func TestCustomloop(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-updates", "2"}, &out, io.Discard))
	assert.Contains(t, out.String(), "update 2: loss")
	assert.Contains(t, out.String(), "emulator: VRMSE of unseen runs")
	require.ErrorContains(t, run(context.Background(), []string{"-network", "x"}, io.Discard, io.Discard), "expected -network walrus or parts")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, nil, io.Discard, io.Discard), context.Canceled)
}
