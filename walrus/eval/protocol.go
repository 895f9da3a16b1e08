package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Forecast continues a window by the given number of frames, in the window's
// channels and units.
type Forecast func(ctx context.Context, history *data.Window, steps int) ([][]float32, error)

// Horizon is a range of forecast steps, counted from 1, both ends included.
type Horizon struct{ From, To int }

// PaperHorizons are one step, and the two intervals of the paper's tables.
func PaperHorizons() []Horizon { return []Horizon{{1, 1}, {1, 20}, {21, 60}} }

// String returns "1" or "21:60".
func (h Horizon) String() string {
	if h.From == h.To {
		return strconv.Itoa(h.From)
	}
	return fmt.Sprintf("%d:%d", h.From, h.To)
}

// ParseHorizons reads a list such as "1,1:20,21:60".
func ParseHorizons(s string) ([]Horizon, error) {
	var out []Horizon
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), ":")
		if !isRange {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || a < 1 || b < a {
			return nil, fmt.Errorf("eval: horizons: expected steps such as 1 or 21:60, got %q", part)
		}
		out = append(out, Horizon{a, b})
	}
	return out, nil
}

// Protocol says how a data set is forecast and scored.
type Protocol struct {
	// Input is the number of frames of history; 0 is 6 on lines and planes and 3 in
	// space, as the weights were trained.
	Input int
	// Horizons are scored one by one; nil is PaperHorizons. Those that are longer
	// than every trajectory are left out of the result.
	Horizons []Horizon
	// Windows bounds how many places are forecast for a horizon, spread evenly over
	// all windows of all trajectories that are long enough; 0 is 32.
	Windows int
	// Eps is that of the VRMSE; 0 is DefaultEps.
	Eps float64
}

func (p Protocol) withDefaults(dims int) Protocol {
	if p.Input == 0 {
		p.Input = 6
		if dims == 3 {
			p.Input = 3
		}
	}
	if p.Horizons == nil {
		p.Horizons = PaperHorizons()
	}
	if p.Windows == 0 {
		p.Windows = 32
	}
	if p.Eps == 0 {
		p.Eps = DefaultEps
	}
	return p
}

// Score summarises the VRMSE of one forecaster over one horizon: of each place, the
// mean over steps and fields; of these the median, the mean and the standard
// deviation.
type Score struct {
	Median float64 `json:"median"`
	Mean   float64 `json:"mean"`
	Std    float64 `json:"std"`
	// Fields holds the median of each field alone.
	Fields map[string]float64 `json:"fields"`
}

// HorizonResult holds the scores over one horizon, of places that are forecast by
// all forecasters alike.
type HorizonResult struct {
	Horizon Horizon
	// Windows is the number of places.
	Windows int
	// Scores are by name of the forecaster.
	Scores map[string]Score
}

// Result is the evaluation of a data set.
type Result struct {
	Dataset  string
	Horizons []HorizonResult
	// Constant lists the fields that do not vary over space in any frame that was
	// scored; the VRMSE, which divides by that variation, says nothing about them
	// and they are not scored.
	Constant []string
	// Skipped lists the horizons for which all trajectories are too short.
	Skipped []Horizon
}

// Baselines returns persistence and linear extrapolation, under these names.
func Baselines() map[string]Forecast {
	return map[string]Forecast{
		"persistence": func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
			return Persistence(w.Frames, steps)
		},
		"linear": func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
			return Linear(w.Frames, steps)
		},
	}
}

// Evaluate forecasts places of a data set with each forecaster and returns their
// VRMSE over the horizons (paper §5, appendix E.1).
func Evaluate(ctx context.Context, ds data.Dataset, forecasters map[string]Forecast, p Protocol) (*Result, error) {
	p = p.withDefaults(len(ds.Metadata().Grid))
	if p.Input < 2 || p.Windows < 0 {
		return nil, fmt.Errorf("eval: expected at least 2 frames of history and a positive number of windows, got %d and %d", p.Input, p.Windows)
	}
	r := &Result{Dataset: ds.Metadata().Name}
	if len(ds.Trajectories()) == 0 {
		return nil, fmt.Errorf("eval: data set %s: expected at least one trajectory, got none", r.Dataset)
	}
	var constant map[string]bool
	for _, h := range p.Horizons {
		spans := p.places(ds, h)
		if len(spans) == 0 {
			r.Skipped = append(r.Skipped, h)
			continue
		}
		t := table{horizon: h, eps: p.Eps, scores: map[string][][]float64{}}
		for _, span := range spans {
			if err := t.add(ctx, ds, span, p.Input, forecasters); err != nil {
				return nil, fmt.Errorf("eval: data set %s: steps %v: %w", r.Dataset, h, err)
			}
		}
		r.Horizons = append(r.Horizons, t.result())
		for _, name := range t.names {
			if constant == nil {
				constant = map[string]bool{}
			}
			if t.varies[name] {
				constant[name] = false
			} else if _, seen := constant[name]; !seen {
				constant[name] = true
			}
		}
	}
	for name, yes := range constant {
		if yes {
			r.Constant = append(r.Constant, name)
		}
	}
	slices.Sort(r.Constant)
	return r, nil
}

// places returns the windows to forecast for a horizon.
func (p Protocol) places(ds data.Dataset, h Horizon) []data.Span {
	frames := p.Input + h.To
	var all []data.Span
	for i, t := range ds.Trajectories() {
		for start := 0; start+frames <= t.Steps; start++ {
			all = append(all, data.Span{Trajectory: i, Start: start, Stride: 1, Frames: frames})
		}
	}
	if len(all) <= p.Windows {
		return all
	}
	out := make([]data.Span, p.Windows)
	for i := range out {
		out[i] = all[(2*i+1)*len(all)/(2*p.Windows)]
	}
	return out
}

// table collects the scores of a horizon.
type table struct {
	horizon Horizon
	eps     float64
	names   []string
	varies  map[string]bool
	scores  map[string][][]float64 // forecaster → place → field, NaN if constant
	places  int
}

// add scores one place.
func (t *table) add(ctx context.Context, ds data.Dataset, span data.Span, input int, forecasters map[string]Forecast) error {
	w, err := ds.Read(ctx, span, nil)
	if err != nil {
		return err
	}
	history, err := w.Slice(0, input)
	if err != nil {
		return err
	}
	if t.names == nil {
		t.names, t.varies = w.Channels(false), map[string]bool{}
	}
	truth := w.Frames[input:]
	scored := t.scored(truth)
	t.places++
	for name, forecast := range forecasters {
		frames, err := forecast(ctx, history, len(truth))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		row, err := t.score(frames, truth, scored)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, w.Name, err)
		}
		t.scores[name] = append(t.scores[name], row)
	}
	return nil
}

// scored says which steps of which fields vary over space, and so can be scored.
func (t *table) scored(truth [][]float32) [][]bool {
	out := make([][]bool, len(truth))
	points := len(truth[0]) / len(t.names)
	for s := t.horizon.From - 1; s < t.horizon.To; s++ {
		out[s] = make([]bool, len(t.names))
		for c, name := range t.names {
			field := truth[s][c*points : (c+1)*points]
			out[s][c] = slices.ContainsFunc(field, func(v float32) bool { return v != field[0] })
			t.varies[name] = t.varies[name] || out[s][c]
		}
	}
	return out
}

// score is the VRMSE of each field, the mean over the steps of the horizon.
func (t *table) score(frames, truth [][]float32, scored [][]bool) ([]float64, error) {
	if len(frames) != len(truth) {
		return nil, fmt.Errorf("expected a forecast of %d frames, got %d", len(truth), len(frames))
	}
	points := len(truth[0]) / len(t.names)
	row, count := make([]float64, len(t.names)), make([]int, len(t.names))
	for s := t.horizon.From - 1; s < t.horizon.To; s++ {
		if len(frames[s]) != len(truth[s]) {
			return nil, fmt.Errorf("step %d: expected %d values, got %d", s+1, len(truth[s]), len(frames[s]))
		}
		for c := range t.names {
			if !scored[s][c] {
				continue
			}
			v, err := VRMSE(frames[s][c*points:(c+1)*points], truth[s][c*points:(c+1)*points], t.eps)
			if err != nil {
				return nil, fmt.Errorf("step %d: field %s: %w", s+1, t.names[c], err)
			}
			row[c] += v
			count[c]++
		}
	}
	for c, n := range count {
		row[c] /= float64(n) // NaN where nothing was scored
	}
	return row, nil
}

// result summarises the places.
func (t *table) result() HorizonResult {
	out := HorizonResult{Horizon: t.horizon, Windows: t.places, Scores: map[string]Score{}}
	for name, rows := range t.scores {
		s := Score{Fields: map[string]float64{}}
		var full []float64
		for _, row := range rows {
			if known := dropNaN(row); len(known) > 0 {
				full = append(full, Mean(known))
			}
		}
		for c, field := range t.names {
			column := make([]float64, len(rows))
			for i, row := range rows {
				column[i] = row[c]
			}
			if column = dropNaN(column); len(column) > 0 {
				s.Fields[field] = Median(column)
			}
		}
		s.Median, s.Mean = Median(full), Mean(full)
		for _, v := range full {
			s.Std += (v - s.Mean) * (v - s.Mean) / float64(len(full))
		}
		s.Std = math.Sqrt(s.Std)
		out.Scores[name] = s
	}
	return out
}

func dropNaN(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}
