package dpot

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// TestRollout: each step forecasts from the window of the step before, without its oldest
// frame and with the new one.
func TestRollout(t *testing.T) {
	c := small()
	w := initialized(t, c)
	shape := []int{2, 8, 16, 3, 2}
	x := values("x", product(shape))
	frames := forecast(t, w, x, shape, 3)
	for _, frame := range frames {
		golden.CompareL2(t, "frame", frame, output(t, w, x, shape...), 1e-6)
		x = advanced(x, frame, c.InSteps, c.InChannels)
	}
}

// advanced drops the oldest frame of a window [points, T, C] and appends a frame
// [points, C].
func advanced(x, frame []float32, steps, channels int) (out []float32) {
	for p := range len(frame) / channels {
		out = append(out, x[(p*steps+1)*channels:(p+1)*steps*channels]...)
		out = append(out, frame[p*channels:(p+1)*channels]...)
	}
	return out
}

// TestRolloutPadsChannels: missing channels are 1.
func TestRolloutPadsChannels(t *testing.T) {
	w := initialized(t, small())
	x := values("x", 8*16*3)
	var padded []float32
	for _, v := range x {
		padded = append(padded, v, 1)
	}
	got := forecast(t, w, x, []int{1, 8, 16, 3, 1}, 2)
	want := forecast(t, w, padded, []int{1, 8, 16, 3, 2}, 2)
	for i := range got {
		require.Len(t, got[i], 8*16)
		for p, v := range got[i] {
			require.Equal(t, want[i][2*p], v)
		}
	}
}

// TestRolloutOfSeveralSteps: a network that predicts two frames at once yields them one by
// one, and may have other output channels if that is enough.
func TestRolloutOfSeveralSteps(t *testing.T) {
	c := small()
	c.OutSteps = 2
	w := initialized(t, c)
	shape := []int{1, 8, 16, 3, 2}
	x := values("x", product(shape))
	frames := forecast(t, w, x, shape, 3)
	y := output(t, w, x, shape...) // [points, 2, 2]
	var both []float32
	for p := range 8 * 16 {
		both = append(append(both, frames[0][2*p:2*p+2]...), frames[1][2*p:2*p+2]...)
	}
	golden.CompareL2(t, "both frames", both, y, 1e-6)
	x = advanced(advanced(x, frames[0], 3, 2), frames[1], 3, 2)
	golden.CompareL2(t, "third frame", frames[2], forecast(t, w, x, shape, 1)[0], 1e-6)

	c.OutChannels = 1
	w = initialized(t, c)
	require.Len(t, forecast(t, w, x, shape, 2)[1], 8*16)
	require.ErrorContains(t, rolloutError(t, w, x, shape, 3), "expected at most 2 steps from a network with 2 input and 1 output channels, got 3")
}

// rolloutError returns the error that ends a rollout.
func rolloutError(t *testing.T, w *Weights, x []float32, shape []int, steps int) (last error) {
	t.Helper()
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	for _, err := range e.Rollout(t.Context(), x, shape, steps) {
		last = err
	}
	return last
}

func TestRolloutErrors(t *testing.T) {
	w := initialized(t, small())
	x := values("x", 8*16*3*2)
	for _, c := range []struct {
		shape []int
		steps int
		text  string
	}{
		{[]int{1, 8, 16, 3, 2}, 0, "expected at least one step, got 0"},
		{[]int{8, 16, 3, 2}, 1, "expected a window [batch, 2 spatial axes, time, channels], got shape [8 16 3 2]"},
		{[]int{2, 8, 16, 3, 2}, 1, "expected as many values as shape [2 8 16 3 2] has, at least one, got 768"},
		{[]int{1, 8, -16, 3, -2}, 1, "expected as many values as shape"},
		{[]int{1, 6, 16, 4, 2}, 1, "axis 0 has 6 points"},
		{[]int{1, 8, 16, 6, 1}, 1, "expected 3 frames, got 6"},
		{[]int{1, 4, 8, 3, 8}, 1, "expected at most 2 channels, got 8"},
	} {
		err := rolloutError(t, w, x, c.shape, c.steps)
		require.ErrorContains(t, err, "dpot: rollout: ")
		require.ErrorContains(t, err, c.text)
	}
	require.ErrorContains(t, rolloutError(t, w, nil, []int{0, 8, 16, 3, 2}, 1), "at least one, got 0")
	_, err := NewEmulator(nil, nil)
	require.ErrorContains(t, err, "expected weights and a backend")
	for _, err := range new(Emulator).Rollout(t.Context(), x, nil, 1) {
		require.ErrorContains(t, err, "expected an emulator of NewEmulator")
	}
	freed := initialized(t, small())
	freed.Close()
	require.ErrorContains(t, rolloutError(t, freed, x, []int{1, 8, 16, 3, 2}, 1), "the weights were freed")
}

// TestRolloutEnds: a rollout ends with its context, and when the caller stops.
func TestRolloutEnds(t *testing.T) {
	w := initialized(t, small())
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	x, shape := values("x", 8*16*3*2), []int{1, 8, 16, 3, 2}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	for _, err := range e.Rollout(ctx, x, shape, 5) {
		if steps++; steps == 2 {
			cancel()
		}
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			break
		}
	}
	require.Equal(t, 3, steps)
	before := slices.Clone(x)
	for range e.Rollout(t.Context(), x, shape, 5) {
		break
	}
	require.Equal(t, before, x)
}

// TestAvoidsPackageMath: on the Go backend, no program computes an error function, an
// exponential or a cosine of a large tensor with package math.
func TestAvoidsPackageMath(t *testing.T) {
	b := testbackend.New(t)
	if b.Name() != "Go Backend" {
		t.Skip("concerns the Go backend")
	}
	c, seen := small(), 0
	b = testbackend.Watch(b, func(op string, size int) {
		seen++
		if size > c.InSteps*c.Hidden {
			t.Errorf("%s of %d elements", op, size)
		}
	})
	e, err := NewEmulator(initialized(t, c), b)
	require.NoError(t, err)
	defer e.Close()
	for _, err := range e.Rollout(t.Context(), values("x", 8*16*3*2), []int{1, 8, 16, 3, 2}, 1) {
		require.NoError(t, err)
	}
	require.Positive(t, seen, "expected the cosines of the time aggregation at least")
}
