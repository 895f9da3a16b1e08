package walrus_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

func sqrt(v float64) float64 { return math.Sqrt(v) }

func TestNewEmulatorErrors(t *testing.T) {
	w, b := livelyWeights(t, smallConfig()), testbackend.New(t)
	for _, c := range []struct {
		name, want string
		w          *walrus.Weights
		o          walrus.EmulatorOptions
	}{
		{"no backend", "walrus: emulator options: expected a backend (see package walrus/backend), got none", w, walrus.EmulatorOptions{}},
		{"no weights", "walrus: emulator: expected weights, got none", nil, walrus.EmulatorOptions{Backend: b}},
		{"ensemble", "walrus: emulator options: expected an ensemble of at least 1 and at most 1048576, got -2", w, walrus.EmulatorOptions{Backend: b, Ensemble: -2}},
		{"floor", "walrus: emulator options: scaling: eps: expected a positive number or 0 for the default, got -1", w,
			walrus.EmulatorOptions{Backend: b, Scaling: &walrus.Scaling{Eps: -1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := walrus.NewEmulator(c.w, c.o)
			require.EqualError(t, err, c.want)
		})
	}
}

// TestEmulatorWindowErrors: a bad window is an error with the window's name, before any
// program runs.
func TestEmulatorWindowErrors(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	resized := newEmulator(t, walrus.EmulatorOptions{Resize: walrus.NeutronStarResize})
	for _, c := range []struct {
		name, want string
		e          *walrus.Emulator
		change     func(w *data.Window)
	}{
		{"unknown field", "walrus: window flow: data: the field registry has no vorticity; it knows density, velocity_x", e,
			func(w *data.Window) { w.Fields[0].Name = "vorticity" }},
		{"unknown component", "has no momentum_x, momentum_y, momentum_z; it knows density", e,
			func(w *data.Window) { w.Fields[1].Name = "momentum" }},
		{"boundary left out", "window flow: boundaries: expected one per axis (2), got 0; there is no default", e,
			func(w *data.Window) { w.Boundaries = nil }},
		{"wrong number of boundaries", "expected one per axis (2), got 3", e,
			func(w *data.Window) { w.Boundaries = append(w.Boundaries, periodic) }},
		{"short axis", "walrus: window flow: walrus: csm: axis 1 has 7 points: expected 1 or at least 8", e,
			func(w *data.Window) { *w = *flow([]int{16, 7}, w.Boundaries, 2) }},
		{"no history", "window flow: expected at least one frame of history, got none", e,
			func(w *data.Window) { w.Frames = nil }},
		{"NaN", "window flow: frame 1: field velocity_x is NaN at [0 3]: expected finite values", e,
			func(w *data.Window) { w.Frames[1][320+3] = float32(math.NaN()) }},
		{"resizing a missing axis", "walrus: window flow: walrus: resize [0 0 64]: axis 2 of grid [16 20] cannot become 64 points", resized,
			func(*data.Window) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := plane()
			c.change(w)
			got, err := lastError(c.e.Rollout(context.Background(), w, 2))
			require.ErrorContains(t, err, c.want)
			assert.Empty(t, got)
			_, err = c.e.Emulate(context.Background(), w)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := e.Emulate(context.Background(), nil)
	require.EqualError(t, err, "walrus: rollout: expected a window, got none")
}

func TestEmulatorSteps(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	ctx := context.Background()
	assert.Empty(t, collect(t, e.Rollout(ctx, plane(), 0)), "no steps, no frames")
	_, err := lastError(e.Rollout(ctx, plane(), -1))
	require.EqualError(t, err, "walrus: rollout: expected a number of steps, got -1")
	seen := 0
	for _, err := range e.Rollout(ctx, plane(), 1000000) {
		require.NoError(t, err)
		if seen++; seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

func TestEmulatorCancel(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var last error
	frames := 0
	for _, err := range e.Rollout(ctx, plane(), 5) {
		if last = err; err == nil {
			frames++
		}
		if frames == 2 {
			cancel()
		}
	}
	require.Equal(t, 2, frames)
	require.ErrorIs(t, last, context.Canceled)
	require.EqualError(t, last, "walrus: window flow: step 3: context canceled")
	_, err := e.Emulate(ctx, plane())
	require.ErrorIs(t, err, context.Canceled)

	why := errors.New("the user went home")
	told, tell := context.WithCancelCause(context.Background())
	tell(why)
	w := plane()
	w.Name = ""
	_, err = e.Emulate(told, w)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, why)
	require.EqualError(t, err, "walrus: window: step 1: context canceled: the user went home")
}

// TestEmulatorDiverges: values beyond the range of float32 end a rollout with an error
// that names field and step.
func TestEmulatorDiverges(t *testing.T) {
	w := livelyWeights(t, smallConfig())
	bias := valuesOf(t, w, "debed.2.proj2.bias")
	bias[4] = 3e38 // velocity_x: its forecast overflows at the second step
	require.NoError(t, w.Set("debed.2.proj2.bias", testbackend.Tensor(bias, len(bias))))
	e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	got, err := lastError(e.Rollout(context.Background(), plane(), 10))
	require.Less(t, len(got), 10)
	require.ErrorContains(t, err, "walrus: window flow: step ")
	require.ErrorContains(t, err, "the forecast of field ")
	require.ErrorIs(t, err, walrus.ErrDiverged)
	var diverged *walrus.DivergedError
	require.ErrorAs(t, err, &diverged)
	require.Equal(t, len(got)+1, diverged.Step)
	require.NotEmpty(t, diverged.Field)
	t.Log(len(got), err)
}
