package eval

import (
	"context"
	"encoding/json"
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
	// Horizons are scored one by one; nil is PaperHorizons. A range for which every
	// trajectory is too short is scored as far as the longest one reaches, and the
	// result says so; one that begins beyond that is left out.
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
	// To is the last step that was scored, Horizon.To unless all trajectories are
	// too short for it.
	To int
	// Windows is the number of places.
	Windows int
	// Scores are by name of the forecaster.
	Scores map[string]Score
	// Curves holds for each step from From to To the median over places of the mean
	// over fields.
	Curves map[string][]float64
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

// MarshalJSON writes the medians as the line
//
//	{"dataset":…,"horizons":{"1":{"model":…,"persistence":…,"linear":…},…}}
//
// with the fields that are not scored, the last step of horizons that were cut and
// the horizons that do not fit at all, if any.
func (r *Result) MarshalJSON() ([]byte, error) {
	line := struct {
		Dataset   string                        `json:"dataset"`
		Horizons  map[string]map[string]float64 `json:"horizons"`
		NotScored []string                      `json:"not_scored,omitempty"`
		CutTo     map[string]int                `json:"cut_to,omitempty"`
		TooLong   []string                      `json:"too_long,omitempty"`
	}{Dataset: r.Dataset, Horizons: map[string]map[string]float64{}, NotScored: r.Constant}
	for _, h := range r.Horizons {
		medians := map[string]float64{}
		for name, s := range h.Scores {
			medians[name] = s.Median
		}
		line.Horizons[h.Horizon.String()] = medians
		if h.To < h.Horizon.To {
			if line.CutTo == nil {
				line.CutTo = map[string]int{}
			}
			line.CutTo[h.Horizon.String()] = h.To
		}
	}
	for _, h := range r.Skipped {
		line.TooLong = append(line.TooLong, h.String())
	}
	return json.Marshal(line)
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
	varies := map[string]bool{}
	for _, h := range p.Horizons {
		to := min(h.To, p.reach(ds))
		if to < h.From {
			r.Skipped = append(r.Skipped, h)
			continue
		}
		spans := p.places(ds, to)
		t := table{horizon: h, to: to, eps: p.Eps, varies: varies, scores: map[string][][]float64{}, steps: map[string][][]float64{}}
		for _, span := range spans {
			if err := t.add(ctx, ds, span, p.Input, forecasters); err != nil {
				return nil, fmt.Errorf("eval: data set %s: steps %v: %w", r.Dataset, h, err)
			}
		}
		r.Horizons = append(r.Horizons, t.result())
	}
	for name, yes := range varies {
		if !yes {
			r.Constant = append(r.Constant, name)
		}
	}
	slices.Sort(r.Constant)
	return r, nil
}

// reach is the number of steps that can be forecast in the longest trajectory.
func (p Protocol) reach(ds data.Dataset) int {
	most := 0
	for _, t := range ds.Trajectories() {
		most = max(most, t.Steps-p.Input)
	}
	return most
}

// places returns the windows to forecast that many steps.
func (p Protocol) places(ds data.Dataset, steps int) []data.Span {
	frames := p.Input + steps
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
	to      int
	eps     float64
	names   []string
	varies  map[string]bool
	scores  map[string][][]float64 // forecaster → place → field, NaN if constant
	steps   map[string][][]float64 // forecaster → place → step, NaN if all are constant
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
		t.names = w.Channels(false)
	}
	truth := w.Frames[input:]
	scored := t.scored(truth)
	t.places++
	for name, forecast := range forecasters {
		frames, err := forecast(ctx, history, len(truth))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fields, steps, err := t.score(frames, truth, scored)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, w.Name, err)
		}
		t.scores[name] = append(t.scores[name], fields)
		t.steps[name] = append(t.steps[name], steps)
	}
	return nil
}

// scored says which steps of which fields vary over space, and so can be scored.
func (t *table) scored(truth [][]float32) [][]bool {
	out := make([][]bool, len(truth))
	points := len(truth[0]) / len(t.names)
	for s := t.horizon.From - 1; s < t.to; s++ {
		out[s] = make([]bool, len(t.names))
		for c, name := range t.names {
			field := truth[s][c*points : (c+1)*points]
			out[s][c] = slices.ContainsFunc(field, func(v float32) bool { return v != field[0] })
			t.varies[name] = t.varies[name] || out[s][c]
		}
	}
	return out
}

// score is the VRMSE of each field, the mean over the steps of the horizon, and of
// each of these steps, the mean over the fields.
func (t *table) score(frames, truth [][]float32, scored [][]bool) (fields, steps []float64, err error) {
	if len(frames) != len(truth) {
		return nil, nil, fmt.Errorf("expected a forecast of %d frames, got %d", len(truth), len(frames))
	}
	points := len(truth[0]) / len(t.names)
	byField := make([][]float64, len(t.names))
	for s := t.horizon.From - 1; s < t.to; s++ {
		if len(frames[s]) != len(truth[s]) {
			return nil, nil, fmt.Errorf("step %d: expected %d values, got %d", s+1, len(truth[s]), len(frames[s]))
		}
		var here []float64
		for c, name := range t.names {
			if !scored[s][c] {
				continue
			}
			v, err := VRMSE(frames[s][c*points:(c+1)*points], truth[s][c*points:(c+1)*points], t.eps)
			if err != nil {
				return nil, nil, fmt.Errorf("step %d: field %s: %w", s+1, name, err)
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

// meanOrNaN is the mean, NaN of nothing.
func meanOrNaN(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return Mean(values)
}

// result summarises the places.
func (t *table) result() HorizonResult {
	out := HorizonResult{Horizon: t.horizon, To: t.to, Windows: t.places, Scores: map[string]Score{}, Curves: map[string][]float64{}}
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

// spread is the standard deviation.
func spread(values []float64) float64 {
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(max(len(values), 1)))
}

func dropNaN(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}
