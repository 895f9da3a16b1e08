package walrus

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// Correction changes a forecast frame between two steps of a rollout
// ([EmulatorOptions.Between]). step counts from 1. history is the window from which the
// rollout started; it must not be changed. frame has the fields, grid and constants of
// history and one frame, frame.Frames[0], with the forecast of the step in the window's order
// and units; the correction changes its values in place. An error ends the rollout.
//
// With [EmulatorOptions.Ensemble] the frame is the average. Every member of
// [Emulator.Ensemble] is corrected separately, with its own initial frames as history; the
// steps of lagged members before the end of the window count 0, −1 and so on. With a [Cache], keys and values are those of
// the corrected frames.
type Correction func(step int, history, frame *data.Window) error

// correct applies the correction to every lane of a forecast frame, which it frees, and
// returns the corrected frame.
func (r *rollout) correct(step int, u *tensors.Tensor) (*tensors.Tensor, error) {
	flat, err := tensors.CopyFlatData[float32](u)
	if err != nil {
		return u, err
	}
	lanes, err := r.gather(flat)
	if err != nil {
		return u, err
	}
	for i, values := range lanes {
		frame := r.single(values)
		if err := r.e.opts.Between(step, r.windows[i], frame); err != nil {
			return u, err
		}
		if len(frame.Frames) != 1 || len(frame.Frames[0]) != len(values) {
			return u, fmt.Errorf("expected a correction that leaves one frame of %d values", len(values))
		}
		lanes[i] = frame.Frames[0]
		if k := nonfinite.First(lanes[i]); k >= 0 {
			return u, fmt.Errorf("expected finite values after the correction, got %v for field %s", lanes[i][k], r.window.Channels(false)[k/r.window.Points()])
		}
	}
	corrected, err := r.spread(lanes)
	if err != nil {
		return u, err
	}
	u.FinalizeAll()
	return corrected, nil
}

// single returns a window of one forecast frame.
func (r *rollout) single(values []float32) *data.Window {
	w := *r.window
	w.Frames, w.Times, w.Scalars = [][]float32{values}, nil, nil
	for _, s := range r.window.Scalars {
		if s.Constant {
			w.Scalars = append(w.Scalars, s)
		}
	}
	return &w
}
