package picture

import (
	"fmt"
	"math"
)

// Rollout is the input of CompareRollout: frames of truth and forecast, each
// [channel][H*W] row major.
type Rollout struct {
	// H and W are the grid, Names the channels.
	H, W  int
	Names []string
	// Truth and Forecast have one frame per step.
	Truth, Forecast [][]float32
	// Title starts the title line; the step and, if given, its time follow.
	Title string
	// Times holds one time per step, or is empty.
	Times []float32
	// Scale and Smooth have the meaning of those of [Panel].
	Scale  int
	Smooth bool
}

// saturate is the fraction of the truth's values that the colours cover. A few strong
// points, such as a source at the start, then do not fade the rest.
const saturate = 0.995

// CompareRollout returns one panel per step, with a row per channel and the columns
// truth, forecast and error (forecast - truth). The colours of a channel mean the same
// in all steps and follow the truth: quantities with both signs get CoolWarm over a
// symmetric range, others Viridis over their extent. Errors get CoolWarm over a
// symmetric range as wide as the truth's, so that the colours show the size of the
// error relative to the signal.
func CompareRollout(r Rollout) ([]Panel, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	rows := make([][]Row, len(r.Truth))
	for c, name := range r.Names {
		all := make([][]float32, len(r.Truth))
		for t := range all {
			all[t] = r.channel(r.Truth[t], c)
		}
		cmap, field, diff, err := choose(all)
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", name, err)
		}
		for t, truth := range all {
			forecast := r.channel(r.Forecast[t], c)
			rows[t] = append(rows[t], Row{Label: name, Cells: []Cell{
				{Values: truth, Map: cmap, Range: field},
				{Values: forecast, Map: cmap, Range: field, Bar: true},
				{Values: minus(forecast, truth), Map: CoolWarm, Range: diff, Bar: true},
			}})
		}
	}
	panels := make([]Panel, len(r.Truth))
	for t := range panels {
		panels[t] = Panel{Title: r.title(t), H: r.H, W: r.W, Columns: []string{"truth", "forecast", "error"},
			Rows: rows[t], Scale: r.Scale, Smooth: r.Smooth}
	}
	return panels, nil
}

func (r Rollout) check() error {
	if r.H < 1 || r.W < 1 || len(r.Names) == 0 {
		return fmt.Errorf("picture: rollout: expected a grid and channels, got %d x %d and %d names", r.H, r.W, len(r.Names))
	}
	if len(r.Truth) == 0 || len(r.Truth) != len(r.Forecast) {
		return fmt.Errorf("picture: rollout: expected truth and forecast of one number of steps, at least 1, got %d and %d", len(r.Truth), len(r.Forecast))
	}
	if len(r.Times) != 0 && len(r.Times) != len(r.Truth) {
		return fmt.Errorf("picture: rollout: expected %d times, got %d", len(r.Truth), len(r.Times))
	}
	n := len(r.Names) * r.H * r.W
	for t := range r.Truth {
		if len(r.Truth[t]) != n || len(r.Forecast[t]) != n {
			return fmt.Errorf("picture: rollout: step %d: expected %d values, got %d of truth and %d of forecast", t+1, n, len(r.Truth[t]), len(r.Forecast[t]))
		}
	}
	return nil
}

func (r Rollout) channel(f []float32, c int) []float32 {
	n := r.H * r.W
	return f[c*n : (c+1)*n]
}

func (r Rollout) title(t int) string {
	s := fmt.Sprintf("step %d of %d", t+1, len(r.Truth))
	if len(r.Times) > 0 {
		s += fmt.Sprintf(", t = %.3g", r.Times[t])
	}
	if r.Title != "" {
		s = r.Title + ": " + s
	}
	return s
}

// choose returns the map and ranges for the frames of one channel. A quantity has both
// signs if its smaller side is at least a tenth of its larger one.
func choose(frames [][]float32) (m ColorMap, field, diff Range, err error) {
	if field, err = Extent(frames...); err != nil {
		return
	}
	low, high := math.Max(0, -field.Min), math.Max(0, field.Max)
	if math.Min(low, high) >= 0.1*math.Max(low, high) {
		field, err = Symmetric(saturate, frames...)
		return CoolWarm, field, field, err
	}
	half := (field.Max - field.Min) / 2
	return Viridis, field, Range{-half, half}, nil
}

func minus(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}
