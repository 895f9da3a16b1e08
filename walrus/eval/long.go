package eval

import (
	"encoding/json"
	"fmt"
	"math"
)

// Long says how the long-term behaviour of forecasts is measured ([Protocol.Long]).
type Long struct {
	// Bands is the number of frequency bands of the spectra ([SpectrumEdges]); 0 means 8.
	Bands int
	// Correlation is the correlation of forecast and truth below which a forecast counts as
	// decorrelated; 0 means 0.8.
	Correlation float64
	// Blowup is the factor by which the power of a band must exceed that of the truth for
	// the spectrum to count as blown up; 0 means 10.
	Blowup float64
}

// blowupFloor is the part of the variance of the truth below which the power of a band does
// not matter.
const blowupFloor = 1e-3

func (l Long) withDefaults() Long {
	if l.Bands == 0 {
		l.Bands = 8
	}
	if l.Correlation == 0 {
		l.Correlation = 0.8
	}
	if l.Blowup == 0 {
		l.Blowup = 10
	}
	return l
}

// Validate checks the ranges.
func (l Long) Validate() error {
	l = l.withDefaults()
	if l.Bands < 1 || l.Bands > maxCount {
		return fmt.Errorf("long: expected 1 to %d bands, got %d", maxCount, l.Bands)
	}
	if !(l.Correlation > 0 && l.Correlation <= 1) {
		return fmt.Errorf("long: expected a correlation above 0 and at most 1, got %v", l.Correlation)
	}
	if !(l.Blowup > 1) || math.IsInf(l.Blowup, 0) {
		return fmt.Errorf("long: expected a factor of the blow-up above 1, got %v", l.Blowup)
	}
	return nil
}

// LongResult describes how one forecaster behaves over all steps from 1 to the end of a
// horizon, for each field that varies over the grid.
type LongResult struct {
	// Edges are the edges of the frequency bands, in cycles per point.
	Edges  []float64
	Fields map[string]LongField
}

// LongField describes the forecasts of one field. Lists have an entry for each step. Steps
// after a divergence have no values: they are left out of means and medians, and the
// forecast counts as decorrelated and blown up. A number without any values is NaN.
type LongField struct {
	// Power and TruePower are the mean spectra over windows, [steps][bands]
	// ([PowerSpectrum]).
	Power, TruePower [][]float64
	// Drift and TrueDrift are the medians over windows of the change of the field's mean
	// since the last frame of the history, divided by the root mean square of that frame.
	// Every point of the grid counts the same. If the integral of the field is conserved,
	// TrueDrift is 0.
	Drift, TrueDrift []float64
	// Correlation is the median over windows of the [Correlation] of forecast and truth.
	Correlation []float64
	// Decorrelation is the median over windows of the first step whose correlation is below
	// Long.Correlation, +Inf if most windows have none.
	Decorrelation float64
	// Blowup is the median over windows of the first step at which the power of a band
	// exceeds that of the truth by Long.Blowup: Blowup times the sum of the band's largest
	// power in the truth and a thousandth of the truth's largest variance. It is +Inf if most
	// windows have no such step. BlowupFirst is the earliest step of any window, 0 for none.
	Blowup      float64
	BlowupFirst int
}

// MarshalJSON writes numbers that are not finite as null.
func (f LongField) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Power         [][]number `json:"power"`
		TruePower     [][]number `json:"true_power"`
		Drift         []number   `json:"drift"`
		TrueDrift     []number   `json:"true_drift"`
		Correlation   []number   `json:"correlation"`
		Decorrelation number     `json:"decorrelation"`
		Blowup        number     `json:"blowup"`
		BlowupFirst   int        `json:"blowup_first,omitempty"`
	}{numberRows(f.Power), numberRows(f.TruePower), numberList(f.Drift), numberList(f.TrueDrift), numberList(f.Correlation),
		number(f.Decorrelation), number(f.Blowup), f.BlowupFirst})
}

// MarshalJSON writes edges and fields.
func (r LongResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Edges  []float64            `json:"edges"`
		Fields map[string]LongField `json:"fields"`
	}{r.Edges, r.Fields})
}

// longSummary is the part of a LongField that fits into one line.
type longSummary struct {
	Drift         number `json:"drift"`
	Decorrelation number `json:"decorrelation"`
	Blowup        number `json:"blowup"`
}

// summary returns the last drift and the two times of each field.
func (r LongResult) summary() map[string]longSummary {
	out := map[string]longSummary{}
	for name, f := range r.Fields {
		out[name] = longSummary{number(f.Drift[len(f.Drift)-1]), number(f.Decorrelation), number(f.Blowup)}
	}
	return out
}

func numberList(values []float64) []number {
	out := make([]number, len(values))
	for i, v := range values {
		out[i] = number(v)
	}
	return out
}

func numberRows(rows [][]float64) [][]number {
	out := make([][]number, len(rows))
	for i, r := range rows {
		out[i] = numberList(r)
	}
	return out
}

// Correlation returns the correlation coefficient of forecast and truth over the points, from
// −1 to 1 (Pearson's, without the eps and the bias of [PearsonR]). It is 0 if the forecast
// does not vary; a truth that does not vary is an error.
func Correlation(pred, ref []float32) (float64, error) {
	m, err := measure(pred, ref, true)
	if err != nil {
		return 0, err
	}
	if m.varRef == 0 {
		return 0, fmt.Errorf("eval: correlation: the truth does not vary: the correlation is undefined")
	}
	if m.varPred == 0 {
		return 0, nil
	}
	n := float64(m.n)
	return max(-1, min(1, m.cov*n/(n-1)/math.Sqrt(m.varPred)/math.Sqrt(m.varRef))), nil
}

// Drift returns the change of the mean of a field since start, divided by the root mean
// square of start. A start of zeros is an error.
func Drift(field, start []float32) (float64, error) {
	m, err := measure(field, start, false)
	if err != nil {
		return 0, err
	}
	return ratio(m.meanPred-m.meanRef, math.Sqrt(m.sqRef))
}

// longWindow holds the measurements of one field in one window.
type longWindow struct {
	power, truePower              [][]float64 // [steps][bands]
	drift, trueDrift, correlation []float64
	decorrelated, blownUp         float64
}

// measureLong measures one field. pred may end before ref.
func (l Long) measureLong(pred, ref [][]float32, start []float32, grid []int) (w longWindow, err error) {
	var most []float64 // the truth's largest power of each band
	variance := 0.0    // the truth's largest
	for _, u := range ref {
		s, err := PowerSpectrum(u, grid, l.Bands)
		if err != nil {
			return w, err
		}
		if most == nil {
			most = make([]float64, l.Bands)
		}
		sum := 0.0
		for b, p := range s.Power {
			most[b] = max(most[b], p)
			sum += p
		}
		variance = max(variance, sum)
		w.truePower = append(w.truePower, s.Power)
		w.trueDrift = append(w.trueDrift, driftOrNaN(u, start))
	}
	w.decorrelated, w.blownUp = math.Inf(1), math.Inf(1)
	for s, u := range pred {
		spectrum, err := PowerSpectrum(u, grid, l.Bands)
		if err != nil {
			return w, fmt.Errorf("step %d: %w", s+1, err)
		}
		correlation, err := Correlation(u, ref[s])
		if err != nil {
			correlation = math.NaN() // a truth that does not vary at this step
		}
		if correlation < l.Correlation {
			w.decorrelated = min(w.decorrelated, float64(s+1))
		}
		for b, p := range spectrum.Power {
			if p > l.Blowup*(most[b]+blowupFloor*variance) {
				w.blownUp = min(w.blownUp, float64(s+1))
			}
		}
		w.power = append(w.power, spectrum.Power)
		w.drift = append(w.drift, driftOrNaN(u, start))
		w.correlation = append(w.correlation, correlation)
	}
	if n := len(pred); n < len(ref) {
		w.decorrelated, w.blownUp = min(w.decorrelated, float64(n+1)), min(w.blownUp, float64(n+1))
	}
	return w, nil
}

// driftOrNaN returns the drift, NaN after a start of zeros.
func driftOrNaN(u, start []float32) float64 {
	d, err := Drift(u, start)
	if err != nil {
		return math.NaN()
	}
	return d
}

// addLong measures the forecast of one window.
func (t *table) addLong(name string, frames, truth [][]float32, scored [][]bool, start []float32) error {
	if t.long == nil {
		return nil
	}
	points := len(start) / len(t.names)
	if t.longs[name] == nil {
		t.longs[name] = make([][]longWindow, len(t.names))
	}
	for c, field := range t.names {
		varies := false
		for _, row := range scored {
			varies = varies || row != nil && row[c]
		}
		if !varies {
			continue
		}
		cut := func(frames [][]float32) [][]float32 {
			out := make([][]float32, len(frames))
			for i, f := range frames {
				out[i] = f[c*points : (c+1)*points]
			}
			return out
		}
		w, err := t.long.measureLong(cut(frames), cut(truth), start[c*points:(c+1)*points], t.grid)
		if err != nil {
			return fmt.Errorf("field %s: %w", field, err)
		}
		t.longs[name][c] = append(t.longs[name][c], w)
	}
	return nil
}

// longResult summarises the measurements of one forecaster, [fields][windows].
func (t *table) longResult(fields [][]longWindow) LongResult {
	out := LongResult{Edges: SpectrumEdges(t.grid, t.long.Bands), Fields: map[string]LongField{}}
	for c, windows := range fields {
		if len(windows) == 0 {
			continue
		}
		var f LongField
		var decorrelated, blownUp []float64
		for s := range t.to {
			var power, truePower [][]float64
			var drift, trueDrift, correlation []float64
			for _, w := range windows {
				truePower, trueDrift = append(truePower, w.truePower[s]), append(trueDrift, w.trueDrift[s])
				if s < len(w.power) {
					power, drift, correlation = append(power, w.power[s]), append(drift, w.drift[s]), append(correlation, w.correlation[s])
				}
			}
			f.Power, f.TruePower = append(f.Power, meanRows(power, t.long.Bands)), append(f.TruePower, meanRows(truePower, t.long.Bands))
			f.Drift, f.TrueDrift = append(f.Drift, medianOrNaN(drift)), append(f.TrueDrift, medianOrNaN(trueDrift))
			f.Correlation = append(f.Correlation, medianOrNaN(correlation))
		}
		for _, w := range windows {
			decorrelated, blownUp = append(decorrelated, w.decorrelated), append(blownUp, w.blownUp)
			if !math.IsInf(w.blownUp, 1) && (f.BlowupFirst == 0 || int(w.blownUp) < f.BlowupFirst) {
				f.BlowupFirst = int(w.blownUp)
			}
		}
		f.Decorrelation, f.Blowup = Median(decorrelated), Median(blownUp)
		out.Fields[t.names[c]] = f
	}
	return out
}

// meanRows averages rows, NaN for none.
func meanRows(rows [][]float64, n int) []float64 {
	out := make([]float64, n)
	for b := range out {
		var column []float64
		for _, r := range rows {
			column = append(column, r[b])
		}
		out[b] = meanOrNaN(column)
	}
	return out
}

// medianOrNaN returns the median of the values that are not NaN, NaN for none.
func medianOrNaN(values []float64) float64 {
	if values = dropNaN(values); len(values) == 0 {
		return math.NaN()
	}
	return Median(values)
}
