package walrus_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestBetween: a correction that changes nothing leaves the forecast the same to the bit;
// one that adds a constant gives the frames that single steps from corrected windows give.
func TestBetween(t *testing.T) {
	ctx, w := context.Background(), withMask(plane())
	for name, o := range map[string]walrus.EmulatorOptions{
		"plain":  {Seed: 2},
		"cached": {Seed: 2, Cache: &walrus.Cache{Refresh: 2}},
		"mean":   {Seed: 2, Ensemble: 2},
	} {
		t.Run(name, func(t *testing.T) {
			want := collect(t, newEmulator(t, o).Rollout(ctx, w, 3))
			o.Between = func(int, *data.Window, *data.Window) error { return nil }
			require.Equal(t, want, collect(t, newEmulator(t, o).Rollout(ctx, w, 3)))
		})
	}

	shift := func(step int, frame []float32) {
		for i := range frame {
			frame[i] += 0.25 * float32(step)
		}
	}
	var seen []int
	e := newEmulator(t, walrus.EmulatorOptions{Between: func(step int, history, frame *data.Window) error {
		require.Same(t, w, history)
		require.NoError(t, frame.Validate())
		require.Equal(t, w.Fields, frame.Fields)
		seen = append(seen, step)
		shift(step, frame.Frames[0])
		return nil
	}})
	plain := newEmulator(t, walrus.EmulatorOptions{})
	d := drawsFor(t, plain, w, 4, 3)
	at := *w
	for step, frame := range collect(t, e.Replay(ctx, w, d)) {
		want := collect(t, plain.Replay(ctx, &at, d[step:step+1]))[0]
		shift(step+1, want)
		require.Equal(t, want, frame)
		at.Frames = append(at.Frames[1:len(at.Frames):len(at.Frames)], frame)
	}
	require.Equal(t, []int{1, 2, 3}, seen)
}

// TestBetweenLanes: every rollout of an average is corrected on its own.
func TestBetweenLanes(t *testing.T) {
	calls := 0
	e := newEmulator(t, walrus.EmulatorOptions{Batch: 2, Between: func(step int, _, frame *data.Window) error {
		calls++
		for i := range frame.Frames[0] {
			frame.Frames[0][i] = float32(calls)
		}
		return nil
	}})
	got := collect(t, e.Average(context.Background(), plane(), 2, 3))
	require.Equal(t, 6, calls)
	require.Equal(t, []float32{2, 5}, []float32{got[0][7], got[1][7]})
}

func TestBetweenErrors(t *testing.T) {
	stop := errors.New("stop")
	for want, f := range map[string]walrus.Correction{
		"walrus: window flow: step 1: EmulatorOptions.Between: stop": func(int, *data.Window, *data.Window) error { return stop },
		"expected a correction that leaves one frame of 960 values": func(_ int, _, frame *data.Window) error {
			frame.Frames = nil
			return nil
		},
		"expected finite values after the correction, got NaN for field velocity_x": func(_ int, _, frame *data.Window) error {
			frame.Frames[0][400] = float32(math.NaN())
			return nil
		},
	} {
		_, err := lastError(newEmulator(t, walrus.EmulatorOptions{Between: f}).Rollout(context.Background(), plane(), 2))
		require.ErrorContains(t, err, want)
	}
	_, err := lastError(newEmulator(t, walrus.EmulatorOptions{Between: func(int, *data.Window, *data.Window) error { return stop }}).Rollout(context.Background(), plane(), 2))
	require.ErrorIs(t, err, stop)
}
