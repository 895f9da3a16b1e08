package eval

import (
	"fmt"
	"math"
)

// DefaultIntervals is the number of intervals in the vectors of the reference.
const DefaultIntervals = 5

// IntervalBounds returns the log-spaced bounds at which the reference divides a rollout
// of n steps: 0 followed by the integer part of exp(v) for the min(n, intervals) values
// v from 0 to ln n, evenly spaced (docs/reference.md §10). Interval i covers the steps
// [bounds[i], bounds[i+1]), counted from 0.
//
// Two behaviours of the reference are kept, because published tables depend on them.
// Neighbouring bounds may be equal (an empty interval), and for many n (5, 37, 60, 200,
// …) exp(ln n) rounds to just below n, so that the last step is in no interval. The
// arithmetic here is correctly rounded and therefore the same on every machine;
// vectorised exp routines that are not correctly rounded give a bound that differs by
// one for a few n (146, 179, 306).
func IntervalBounds(n, intervals int) ([]int, error) {
	if n < 1 || n > maxCount || intervals < 1 {
		return nil, fmt.Errorf("eval: interval bounds: expected 1 to %d steps and at least 1 interval, got %d and %d", maxCount, n, intervals)
	}
	bounds := []int{0}
	m := min(n, intervals)
	last := logInt(n)
	for i := range m {
		v := 0.0
		if m > 1 {
			v = float64(i) * (last / float64(m-1))
		}
		if m > 1 && i == m-1 {
			v = last
		}
		bounds = append(bounds, int(math.Floor(expRounded(v))))
	}
	return bounds, nil
}

// IntervalMean is the average of a metric over the steps [From, To).
type IntervalMean struct {
	From, To int
	// Fields holds the mean over the steps, per field.
	Fields []float64
	// Full is the mean of Fields.
	Full float64
}

// Split averages a [steps][channels] table over each of the log-spaced intervals of
// [IntervalBounds]. It omits empty intervals, for which the reference reports NaN. The
// second result covers all steps.
func Split(table [][]float64, intervals int) (parts []IntervalMean, all IntervalMean, err error) {
	bounds, err := IntervalBounds(len(table), intervals)
	if err != nil {
		return nil, all, err
	}
	for t, row := range table {
		if len(row) == 0 || len(row) != len(table[0]) {
			return nil, all, fmt.Errorf("eval: split: expected %d fields at step %d (and at least one), got %d", len(table[0]), t+1, len(row))
		}
	}
	for i := range len(bounds) - 1 {
		if bounds[i] < bounds[i+1] {
			parts = append(parts, meanOver(table, bounds[i], bounds[i+1]))
		}
	}
	return parts, meanOver(table, 0, len(table)), nil
}

func meanOver(table [][]float64, from, to int) IntervalMean {
	m := IntervalMean{From: from, To: to, Fields: make([]float64, len(table[0]))}
	for _, row := range table[from:to] {
		for c, v := range row {
			m.Fields[c] += v / float64(to-from)
		}
	}
	m.Full = Mean(m.Fields)
	return m
}
