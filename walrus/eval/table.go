package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// table collects the scores of a horizon.
type table struct {
	horizon Horizon
	to      int
	eps     float64
	level   float64
	names   []string
	varies  map[string]bool
	scores  map[string][][]float64 // forecaster → place → field, NaN if constant
	steps   map[string][][]float64 // forecaster → place → step, NaN if all are constant
	places  int
	// ensembles holds sums by probabilistic forecaster, step and field.
	ensembles map[string][][]ensembleSum
	diverged  map[string]Divergences
	// long is nil unless long-term behaviour is measured, on the grid; longs holds the
	// measurements by forecaster, field and window.
	long  *Long
	grid  []int
	longs map[string][][]longWindow
}

// add scores one window.
func (t *table) add(ctx context.Context, ds data.Dataset, span data.Span, p Protocol, forecasters map[string]Forecast, steps *counter) error {
	w, err := ds.Read(ctx, span, nil)
	if err != nil {
		return err
	}
	history, err := w.Slice(0, p.Input)
	if err != nil {
		return err
	}
	if t.names == nil {
		t.names, t.grid = w.Channels(false), w.Grid
	}
	truth, start := w.Frames[p.Input:], w.Frames[p.Input-1]
	scored := t.scored(truth)
	t.places++
	for name, forecast := range forecasters {
		before := steps.done
		frames, err := forecast(steps.in(ctx), history, len(truth))
		if err != nil && !t.divergedAt(name, len(frames)+1, len(truth), err) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := t.addScores(name, frames, truth, start, scored, err != nil); err != nil {
			return fmt.Errorf("%s: %s: %w", name, w.Name, err)
		}
		steps.to(before + len(truth))
	}
	for name, forecast := range p.Ensembles {
		before := steps.done
		means, err := t.addEnsemble(name, forecast(ctx, history, len(truth)), truth, scored, func() { steps.to(steps.done + 1) })
		if err == nil || t.divergedAt(name, len(means)+1, len(truth), err) {
			err = t.addScores(name, means, truth, start, scored, err != nil)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, w.Name, err)
		}
		steps.to(before + len(truth))
	}
	return nil
}

// divergedAt reports whether an error says that the forecast of a window diverged at the
// given one of several steps, and counts it.
func (t *table) divergedAt(name string, step, steps int, err error) bool {
	if !errors.Is(err, walrus.ErrDiverged) || step > steps {
		return false
	}
	d := t.diverged[name]
	if d.Windows == 0 || step < d.FirstStep {
		d.FirstStep = step
	}
	d.Windows++
	t.diverged[name] = d
	return true
}

// addScores scores the forecast of one window.
func (t *table) addScores(name string, frames, truth [][]float32, start []float32, scored [][]bool, diverged bool) error {
	fields, errs, err := t.score(frames, truth, scored, diverged)
	t.scores[name] = append(t.scores[name], fields)
	t.steps[name] = append(t.steps[name], errs)
	if err != nil {
		return err
	}
	return t.addLong(name, frames, truth, scored, start)
}

// scored reports which steps of which fields vary over the grid and can be scored.
func (t *table) scored(truth [][]float32) [][]bool {
	out := make([][]bool, len(truth))
	points := len(truth[0]) / len(t.names)
	for s := t.horizon.From - 1; s < t.to; s++ {
		out[s] = make([]bool, len(t.names))
		for c, name := range t.names {
			out[s][c] = varies(truth[s][c*points : (c+1)*points])
			t.varies[name] = t.varies[name] || out[s][c]
		}
	}
	return out
}

// varies reports whether the values of a field differ.
func varies(field []float32) bool {
	return slices.ContainsFunc(field, func(v float32) bool { return v != field[0] })
}

// score returns the VRMSE of each field, as the mean over the steps of the horizon, and
// of each step, as the mean over the fields. The score of frames that are missing because
// the forecast diverged is +Inf.
func (t *table) score(frames, truth [][]float32, scored [][]bool, diverged bool) (fields, steps []float64, err error) {
	if len(frames) != len(truth) && !diverged {
		return nil, nil, fmt.Errorf("expected a forecast of %d frames, got %d", len(truth), len(frames))
	}
	points := len(truth[0]) / len(t.names)
	byField := make([][]float64, len(t.names))
	for s := t.horizon.From - 1; s < t.to; s++ {
		if s < len(frames) && len(frames[s]) != len(truth[s]) {
			return nil, nil, fmt.Errorf("step %d: expected %d values, got %d", s+1, len(truth[s]), len(frames[s]))
		}
		var here []float64
		for c, name := range t.names {
			if !scored[s][c] {
				continue
			}
			v := math.Inf(1)
			if s < len(frames) {
				if v, err = VRMSE(frames[s][c*points:(c+1)*points], truth[s][c*points:(c+1)*points], t.eps); err != nil {
					return nil, nil, fmt.Errorf("step %d: field %s: %w", s+1, name, err)
				}
			}
			here, byField[c] = append(here, v), append(byField[c], v)
		}
		steps = append(steps, meanOrNaN(here))
	}
	for _, values := range byField {
		fields = append(fields, meanOrNaN(values))
	}
	return fields, steps, nil
}

// meanOrNaN returns the mean, NaN for no values.
func meanOrNaN(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return Mean(values)
}

// result summarises the windows.
func (t *table) result() HorizonResult {
	out := HorizonResult{Horizon: t.horizon, To: t.to, Windows: t.places, Scores: map[string]Score{}, Curves: map[string][]float64{}}
	if len(t.diverged) > 0 {
		out.Diverged = t.diverged
	}
	for name, sums := range t.ensembles {
		if out.Ensembles == nil {
			out.Ensembles = map[string]EnsembleResult{}
		}
		out.Ensembles[name] = t.ensembleResult(sums)
	}
	for name, fields := range t.longs {
		if out.Long == nil {
			out.Long = map[string]LongResult{}
		}
		out.Long[name] = t.longResult(fields)
	}
	for name, rows := range t.scores {
		var full []float64
		for _, row := range rows {
			if known := dropNaN(row); len(known) > 0 {
				full = append(full, Mean(known))
			}
		}
		s := Score{Median: Median(full), Mean: Mean(full), Std: spread(full), Fields: map[string]float64{}}
		for c, v := range columns(rows) {
			if !math.IsNaN(v) {
				s.Fields[t.names[c]] = v
			}
		}
		out.Scores[name] = s
		out.Curves[name] = columns(t.steps[name])
	}
	return out
}

// columns returns the median of every column over the rows that have a value there.
func columns(rows [][]float64) []float64 {
	out := make([]float64, len(rows[0]))
	for c := range out {
		var column []float64
		for _, row := range rows {
			column = append(column, row[c])
		}
		if column = dropNaN(column); len(column) == 0 {
			out[c] = math.NaN()
			continue
		}
		out[c] = Median(column)
	}
	return out
}

// spread returns the standard deviation, +Inf if a value is infinite.
func spread(values []float64) float64 {
	mean, sum := Mean(values), 0.0
	if math.IsInf(mean, 0) {
		return math.Inf(1)
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(max(len(values), 1)))
}

func dropNaN(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}
