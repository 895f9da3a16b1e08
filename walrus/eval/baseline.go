package eval

import "fmt"

// maxCount bounds steps, bins and intervals.
const maxCount = 1 << 24

// Persistence returns the forecast of no change: steps copies of the last frame of
// history. A frame is a slice of any length, the same for all.
func Persistence(history [][]float32, steps int) ([][]float32, error) {
	if err := checkHistory(history, 1, steps); err != nil {
		return nil, err
	}
	last := history[len(history)-1]
	out := make([][]float32, steps)
	for k := range out {
		out[k] = append([]float32(nil), last...)
	}
	return out, nil
}

// Linear returns the forecast that continues the last change: step k = 1, 2, … is
// u_last + k·(u_last − u_prev), point by point. It needs two frames of history.
func Linear(history [][]float32, steps int) ([][]float32, error) {
	if err := checkHistory(history, 2, steps); err != nil {
		return nil, err
	}
	last, prev := history[len(history)-1], history[len(history)-2]
	out := make([][]float32, steps)
	for k := range out {
		out[k] = make([]float32, len(last))
		for i, u := range last {
			out[k][i] = u + float32(k+1)*(u-prev[i])
		}
	}
	return out, nil
}

func checkHistory(history [][]float32, need, steps int) error {
	if len(history) < need {
		return fmt.Errorf("eval: history: expected at least %d frames, got %d", need, len(history))
	}
	if steps < 1 || steps > maxCount {
		return fmt.Errorf("eval: steps: expected 1 to %d, got %d", maxCount, steps)
	}
	for t, frame := range history {
		if len(frame) == 0 || len(frame) != len(history[0]) {
			return fmt.Errorf("eval: history: expected %d values in frame %d (and at least one), got %d", len(history[0]), t, len(frame))
		}
		if i := notFinite(frame); i >= 0 {
			return fmt.Errorf("eval: history: expected finite values, got %v in frame %d at %d", frame[i], t, i)
		}
	}
	return nil
}
