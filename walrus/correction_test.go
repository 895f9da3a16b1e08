package walrus_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// TestBetween: a correction that changes nothing leaves the forecast the same to the bit;
// one that adds a constant gives the frames that single steps from corrected windows give.
func TestBetween(t *testing.T) {
	ctx, w := context.Background(), withMask(plane())
	o := walrus.EmulatorOptions{Seed: 2, Ensemble: 2, Cache: &walrus.Cache{Refresh: 2}}
	want := collect(t, newEmulator(t, o).Rollout(ctx, w, 3))
	o.Between = func(int, *data.Window, *data.Window) error { return nil }
	require.Equal(t, want, collect(t, newEmulator(t, o).Rollout(ctx, w, 3)))

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

// TestBetweenMembers: every member of an ensemble is corrected on its own, with its own
// history.
func TestBetweenMembers(t *testing.T) {
	calls := 0
	histories := map[float32]bool{}
	e := newEmulator(t, walrus.EmulatorOptions{Batch: 2, Between: func(step int, history, frame *data.Window) error {
		calls++
		histories[history.Frames[2][5]] = true
		for i := range frame.Frames[0] {
			frame.Frames[0][i] = float32(calls)
		}
		return nil
	}})
	o := walrus.EnsembleOptions{Members: 3, KeepMembers: true, Perturbation: perturb.White(0.1)}
	for frame, err := range e.Ensemble(context.Background(), plane(), 2, o) {
		require.NoError(t, err)
		for m, u := range frame.Members {
			require.Equal(t, float32(3*(frame.Step-1)+m+1), u[7])
		}
	}
	require.Equal(t, 6, calls)
	require.Len(t, histories, 3)
}

func TestBetweenErrors(t *testing.T) {
	stop := errors.New("stop")
	var now walrus.Correction
	e := newEmulator(t, walrus.EmulatorOptions{Between: func(step int, history, frame *data.Window) error { return now(step, history, frame) }})
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
		now = f
		_, err := lastError(e.Rollout(context.Background(), plane(), 2))
		require.ErrorContains(t, err, want)
	}
	now = func(int, *data.Window, *data.Window) error { return stop }
	_, err := lastError(e.Rollout(context.Background(), plane(), 2))
	require.ErrorIs(t, err, stop)
}
