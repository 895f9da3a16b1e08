package eval

import "encoding/json"

// Score summarises the VRMSE of one forecaster over one horizon. For each window it
// takes the mean over steps and fields; of these means it holds the median, the mean
// and the standard deviation.
type Score struct {
	Median float64 `json:"median"`
	Mean   float64 `json:"mean"`
	Std    float64 `json:"std"`
	// Fields holds the median of each field separately.
	Fields map[string]float64 `json:"fields"`
}

// MarshalJSON writes numbers that are not finite, those of diverged forecasts, as null.
func (s Score) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Median number            `json:"median"`
		Mean   number            `json:"mean"`
		Std    number            `json:"std"`
		Fields map[string]number `json:"fields"`
	}{number(s.Median), number(s.Mean), number(s.Std), numbers(s.Fields)})
}

// numbers converts the values of a map.
func numbers(m map[string]float64) map[string]number {
	out := make(map[string]number, len(m))
	for k, v := range m {
		out[k] = number(v)
	}
	return out
}

// Divergences counts the windows in which a forecast diverged ([walrus.ErrDiverged]).
type Divergences struct {
	Windows int `json:"windows"`
	// FirstStep is the earliest step, counted from 1, that a forecast did not reach.
	FirstStep int `json:"first_step"`
}

// HorizonResult holds the scores over one horizon, for windows that all forecasters
// forecast.
type HorizonResult struct {
	Horizon Horizon
	// To is the last step that was scored. It is Horizon.To unless all trajectories are
	// too short for it.
	To int
	// Windows is the number of windows.
	Windows int
	// Scores has an entry for each forecaster. A forecast that diverged scores +Inf from
	// that step on.
	Scores map[string]Score
	// Curves holds, for each step from From to To, the median over windows of the mean
	// over fields.
	Curves map[string][]float64
	// Ensembles has an entry for each probabilistic forecaster.
	Ensembles map[string]EnsembleResult
	// Diverged has an entry for each forecaster that diverged in a window. The scores in
	// Ensembles cover only the steps before.
	Diverged map[string]Divergences
	// Long has an entry for each forecaster if [Protocol.Long] is set.
	Long map[string]LongResult
}

// Result is the evaluation of a data set.
type Result struct {
	Dataset  string
	Horizons []HorizonResult
	// Constant lists the fields that do not vary over the grid in any scored frame.
	// They are not scored, because the VRMSE divides by that variation.
	Constant []string
	// Skipped lists the horizons for which all trajectories are too short.
	Skipped []Horizon
}

// MarshalJSON writes the medians as the line
//
//	{"dataset":…,"horizons":{"1":{"model":…,"persistence":…,"linear":…},…}}
//
// with null for a median that is not finite. If there are any, the line also has, by horizon
// and name, the scores of probabilistic forecasters ("ensembles") and the windows in which
// forecasts diverged ("diverged"), the drift at the last step and the times to decorrelation
// and blow-up of each field ("long", null for never), the fields that are not scored, the
// last step of horizons that were shortened and the skipped horizons.
func (r *Result) MarshalJSON() ([]byte, error) {
	line := struct {
		Dataset   string                                       `json:"dataset"`
		Horizons  map[string]map[string]number                 `json:"horizons"`
		Ensembles map[string]map[string]EnsembleScore          `json:"ensembles,omitempty"`
		Diverged  map[string]map[string]Divergences            `json:"diverged,omitempty"`
		Long      map[string]map[string]map[string]longSummary `json:"long,omitempty"`
		NotScored []string                                     `json:"not_scored,omitempty"`
		CutTo     map[string]int                               `json:"cut_to,omitempty"`
		TooLong   []string                                     `json:"too_long,omitempty"`
	}{Dataset: r.Dataset, Horizons: map[string]map[string]number{}, NotScored: r.Constant}
	for _, h := range r.Horizons {
		medians := map[string]number{}
		for name, s := range h.Scores {
			medians[name] = number(s.Median)
		}
		line.Horizons[h.Horizon.String()] = medians
		for name, e := range h.Ensembles {
			set(&line.Ensembles, h.Horizon, name, e.All)
		}
		for name, l := range h.Long {
			set(&line.Long, h.Horizon, name, l.summary())
		}
		for name, d := range h.Diverged {
			set(&line.Diverged, h.Horizon, name, d)
		}
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

// set sets the entry of a horizon and a name.
func set[T any](m *map[string]map[string]T, h Horizon, name string, value T) {
	if *m == nil {
		*m = map[string]map[string]T{}
	}
	if (*m)[h.String()] == nil {
		(*m)[h.String()] = map[string]T{}
	}
	(*m)[h.String()][name] = value
}
