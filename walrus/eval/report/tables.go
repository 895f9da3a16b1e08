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
