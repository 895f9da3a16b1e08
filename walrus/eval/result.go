package eval

import "encoding/json"

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
