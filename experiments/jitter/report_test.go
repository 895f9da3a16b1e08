package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// made returns a result in which jitter and rolls have the given errors over every
// horizon, and the other two variants have 1.
func made(seed uint64, errors ...float64) *result {
	r := &result{Seed: seed, imprints: newImprints()}
	for _, e := range errors {
		system := &eval.Result{Dataset: "flow"}
		for _, h := range horizons {
			system.Horizons = append(system.Horizons, eval.HorizonResult{Horizon: h,
				Scores: map[string]eval.Score{variants[0].name: {Median: e}, variants[1].name: {Median: 1}, variants[2].name: {Median: 1}}})
		}
		r.Systems = append(r.Systems, system)
	}
	r.summarise()
	return r
}

func TestReport(t *testing.T) {
	var out strings.Builder
	show(&out, []*result{made(1, 0.5, 0.7, 1.2), made(2, 0.5, 0.5, 0.4)}, newImprints())
	require.Contains(t, out.String(), "| flow | 1:20 | 0.500 | 1.000 | 1.000 |")
	require.Contains(t, out.String(), "| 1 | 21:60 | 2 of 3 | 30 % |")
	require.Contains(t, out.String(), "| 2 | 21:60 | 3 of 3 | 50 % |")
	require.Contains(t, out.String(), "| all | 21:60 | 5 of 6 | 50 % |")
}
