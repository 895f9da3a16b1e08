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

// HorizonResult holds the scores over one horizon, for windows that all forecasters
// forecast.
type HorizonResult struct {
	Horizon Horizon
	// To is the last step that was scored. It is Horizon.To unless all trajectories are
	// too short for it.
	To int
	// Windows is the number of windows.
	Windows int
	// Scores has an entry for each forecaster.
	Scores map[string]Score
	// Curves holds, for each step from From to To, the median over windows of the mean
	// over fields.
	Curves map[string][]float64
	// Ensembles has an entry for each probabilistic forecaster.
	Ensembles map[string]EnsembleResult
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
// with the scores of probabilistic forecasters ("ensembles", by horizon and name), the fields
// that are not scored, the last step of horizons that were shortened and the skipped
// horizons, if any.
func (r *Result) MarshalJSON() ([]byte, error) {
	line := struct {
		Dataset   string                              `json:"dataset"`
		Horizons  map[string]map[string]float64       `json:"horizons"`
		Ensembles map[string]map[string]EnsembleScore `json:"ensembles,omitempty"`
		NotScored []string                            `json:"not_scored,omitempty"`
		CutTo     map[string]int                      `json:"cut_to,omitempty"`
		TooLong   []string                            `json:"too_long,omitempty"`
	}{Dataset: r.Dataset, Horizons: map[string]map[string]float64{}, NotScored: r.Constant}
	for _, h := range r.Horizons {
		medians := map[string]float64{}
		for name, s := range h.Scores {
			medians[name] = s.Median
		}
		line.Horizons[h.Horizon.String()] = medians
		for name, e := range h.Ensembles {
			set(&line.Ensembles, h.Horizon, name, e.All)
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
