package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// table is a table of texts below the scores of a data set.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// markdown writes the table. Errors of w are the caller's to notice.
func (t table) markdown(w io.Writer) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(t.Head, " | "), strings.Repeat("---|", len(t.Head)))
	for _, r := range t.Rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | "))
	}
}

// decimals formats a number, with – for one that does not exist.
func decimals(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
}

// ensembleTables lists the scores of probabilistic forecasters.
func ensembleTables(r *eval.Result) []table {
	t := table{Title: "Ensembles: CRPS, energy score and width of the intervals in standard deviations of the truth; spread over skill and the coverage of the intervals",
		Head: []string{"steps", "ensemble", "members", "CRPS", "fair CRPS", "energy score", "spread/skill", "coverage", "width"}}
	for _, h := range r.Horizons {
		for _, name := range slices.Sorted(maps.Keys(h.Ensembles)) {
			s := h.Ensembles[name].All
			t.Rows = append(t.Rows, []string{h.Horizon.String(), name, strconv.Itoa(s.Members), decimals(s.CRPS), decimals(s.FairCRPS), decimals(s.Energy),
				decimals(s.SpreadSkill), fmt.Sprintf("%.1f %%", 100*s.Coverage), decimals(s.Width)})
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return []table{t}
}

// longTables lists the long-term behaviour of forecasts: a row for each horizon, forecaster
// and field, and the spectra of the first and the last step of the longest horizon.
func longTables(r *eval.Result) []table {
	behaviour := table{Title: "Long-term behaviour: drift of the mean at the last step, first step below the correlation and first step of a blown-up spectrum (medians over places)",
		Head: []string{"steps", "forecast", "field", "drift", "true drift", "correlation", "decorrelated at", "blown up at"}}
	var longest *eval.HorizonResult
	for i, h := range r.Horizons {
		for _, name := range slices.Sorted(maps.Keys(h.Long)) {
			for _, field := range slices.Sorted(maps.Keys(h.Long[name].Fields)) {
				f := h.Long[name].Fields[field]
				last := len(f.Drift) - 1
				behaviour.Rows = append(behaviour.Rows, []string{h.Horizon.String(), name, field, decimals(f.Drift[last]), decimals(f.TrueDrift[last]),
					decimals(f.Correlation[last]), stepOf(f.Decorrelation), stepOf(f.Blowup)})
			}
			if longest == nil || h.To > longest.To {
				longest = &r.Horizons[i]
			}
		}
	}
	if longest == nil {
		return nil
	}
	return append([]table{behaviour}, spectra(longest)...)
}

// spectra lists the power of each band relative to the truth.
func spectra(h *eval.HorizonResult) []table {
	t := table{Title: "Power by frequency, from the longest to the shortest waves, divided by that of the truth", Head: []string{"forecast", "field", "step"}}
	for _, name := range slices.Sorted(maps.Keys(h.Long)) {
		l := h.Long[name]
		if len(t.Head) == 3 {
			for b := range len(l.Edges) - 1 {
				t.Head = append(t.Head, fmt.Sprintf("%.3g–%.3g", l.Edges[b], l.Edges[b+1]))
			}
		}
		for _, field := range slices.Sorted(maps.Keys(l.Fields)) {
			f := l.Fields[field]
			for _, s := range slices.Compact([]int{0, len(f.Power) - 1}) {
				row := []string{name, field, strconv.Itoa(s + 1)}
				for b, p := range f.Power[s] {
					row = append(row, decimals(p/f.TruePower[s][b]))
				}
				t.Rows = append(t.Rows, row)
			}
		}
	}
	return []table{t}
}

// stepOf formats a median of steps, with – for never.
func stepOf(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
