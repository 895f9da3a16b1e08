package train

import (
	"math"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestBatchErrors: a bad batch is an error with the name of the sample, and no gradients
// are added.
func TestBatchErrors(t *testing.T) {
	tr := newTrainer(t, Options{})
	changed := func(change func(w *data.Window)) *data.Window {
		w := plane()
		w.Name = "other"
		change(w)
		return w
	}
	for _, c := range []struct {
		name, want string
		batch      *Batch
	}{
		{"none", "train: empty batch: expected at least one window", nil},
		{"empty", "train: empty batch: expected at least one window", &Batch{}},
		{"nil window", "train: sample 1: expected a window, got none", still(plane(), nil)},
		{"one frame", "train: window other: expected at least 2 frames, history and target, got 1",
			still(changed(func(w *data.Window) { w.Frames = w.Frames[:1] }))},
		{"NaN", "train: sample 1: window other: frame 2: field velocity_x is NaN at [0 4]",
			still(plane(), changed(func(w *data.Window) { w.Frames[2][260] = float32(math.NaN()) }))},
		{"other grid", "train: sample 1 (other) does not fit sample 0 (plane): grid: expected [16 16], got [16 8]",
			still(plane(), changed(func(w *data.Window) { *w = *waves("other", []int{16, 8}, w.Boundaries, 3) }))},
		{"other boundaries", "sample 1 (other) does not fit sample 0 (plane): boundaries: expected [periodic wall], got [periodic periodic]",
			still(plane(), changed(func(w *data.Window) { w.Boundaries[1] = periodic }))},
		{"other frames", "sample 1 (other) does not fit sample 0 (plane): frames: expected 3, got 2",
			still(plane(), changed(func(w *data.Window) { w.Frames = w.Frames[:2] }))},
		{"other fields", "sample 1 (other) does not fit sample 0 (plane): fields: expected ",
			still(plane(), changed(func(w *data.Window) { w.Fields[0].Name = "mask" }))},
		{"unknown field", "train: window other: data: the field registry has no heat; it knows density, velocity_x",
			still(changed(func(w *data.Window) { w.Fields[0].Name = "heat" }))},
		{"short axis", "train: window other: walrus: csm: axis 1 has 7 points: expected 1 or at least 8",
			still(changed(func(w *data.Window) { *w = *waves("other", []int{16, 7}, w.Boundaries, 3) }))},
		{"draws", "train: window plane: walrus: jitter: shift of axis 0: expected within ±7, got 99",
			&Batch{Windows: []*data.Window{plane()}, Draws: &walrus.Draws{Shift: [3]int32{99}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tr.Accumulate(c.batch)
			require.ErrorContains(t, err, c.want)
			_, err = tr.Step(c.batch, 1e-3)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := tr.Update(1e-3)
	require.EqualError(t, err, "train: update: expected accumulated gradients, got none")
}
