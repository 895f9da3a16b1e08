package eval

import (
	"errors"
	"fmt"
	"slices"
)

// PerStep applies a metric to every step and field of a forecast. pred and
// ref hold one frame per step, [channels][points] flattened. The result is
// [steps][channels].
func PerStep(metric Metric, pred, ref [][]float32, channels int) ([][]float64, error) {
	if metric == nil {
		return nil, errors.New("eval: expected a metric, got nil")
	}
	if len(pred) != len(ref) || len(ref) == 0 {
		return nil, fmt.Errorf("eval: expected forecast and truth of one number of steps, at least 1, got %d and %d", len(pred), len(ref))
	}
	out := make([][]float64, len(ref))
	for t := range ref {
		row, err := perChannel(metric, pred[t], ref[t], channels)
		if err != nil {
			return nil, fmt.Errorf("eval: step %d: %w", t+1, err)
		}
		out[t] = row
	}
	return out, nil
}

func perChannel(metric Metric, pred, ref []float32, channels int) ([]float64, error) {
	if channels < 1 || len(ref)%channels != 0 {
		return nil, fmt.Errorf("expected a frame of %d equal channels, got %d values", channels, len(ref))
	}
	if len(pred) != len(ref) {
		return nil, fmt.Errorf("expected forecast and truth of one length, got %d and %d", len(pred), len(ref))
	}
	n := len(ref) / channels
	row := make([]float64, channels)
	for c := range row {
		var err error
		if row[c], err = metric(pred[c*n:(c+1)*n], ref[c*n:(c+1)*n]); err != nil {
			return nil, fmt.Errorf("channel %d: %w", c, err)
		}
	}
	return row, nil
}

// MeanFields averages every row of a [steps][channels] table over its channels, which
// is the reference's "full" score of each step.
func MeanFields(table [][]float64) []float64 {
	out := make([]float64, len(table))
	for t, row := range table {
		out[t] = Mean(row)
	}
	return out
}

// Mean returns the arithmetic mean, 0 for no values.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// Median returns the middle value, for an even number of values the mean of the middle
// two, 0 for no values. The paper reports the median over trajectories. It does not
// reorder values.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
