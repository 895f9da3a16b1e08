package main

import (
	"fmt"
	"io"

	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// result is the result of one seed.
type result struct {
	Seed    uint64         `json:"seed"`
	Systems []*eval.Result `json:"systems"`
	// Improved compares jitter and rolls with neither, by horizon.
	Improved map[string]experiment.Comparison `json:"improved"`
	Imprint  map[string]float64               `json:"imprint"`

	imprints *imprints
}

// summarise computes the fields that follow from the errors.
func (r *result) summarise() {
	r.Imprint = r.imprints.Ratio()
	r.Improved = map[string]experiment.Comparison{}
	for _, h := range horizons {
		with, without := medians([]*result{r}, h)
		r.Improved[h.String()] = experiment.Compare(with, without)
	}
}

// medians returns the errors over a horizon with jitter and rolls and with neither, for
// all systems and seeds.
func medians(results []*result, h eval.Horizon) (with, without []float64) {
	for _, r := range results {
		for _, system := range r.Systems {
			for _, found := range system.Horizons {
				if found.Horizon == h {
					with = append(with, found.Scores[variants[0].name].Median)
					without = append(without, found.Scores[variants[2].name].Median)
				}
			}
		}
	}
	return with, without
}

// show prints the tables.
func show(w io.Writer, results []*result, all *imprints) {
	fmt.Fprintf(w, "VRMSE, median over the runs, then over %d seeds\n", len(results))
	fmt.Fprintln(w, "| system | steps | jitter and rolls | jitter | neither |\n|---|---|---|---|---|")
	for i, system := range results[0].Systems {
		for k := range system.Horizons {
			fmt.Fprintf(w, "| %s | %v |", system.Dataset, system.Horizons[k].Horizon)
			for _, v := range variants {
				var seeds []float64
				for _, r := range results {
					seeds = append(seeds, r.Systems[i].Horizons[k].Scores[v.name].Median)
				}
				fmt.Fprintf(w, " %.3f |", eval.Median(seeds))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w, "\njitter and rolls beside neither\n| seed | steps | better | median improvement |\n|---|---|---|---|")
	line := func(seed any, h eval.Horizon, c experiment.Comparison) {
		fmt.Fprintf(w, "| %v | %v | %d of %d | %.0f %% |\n", seed, h, c.Better, c.Of, c.Improvement)
	}
	for _, h := range horizons {
		for _, r := range results {
			line(r.Seed, h, r.Improved[h.String()])
		}
		line("all", h, experiment.Compare(medians(results, h)))
	}
	fmt.Fprintln(w, "\nwaves at the patch frequency, beside their neighbours (median)\n| seed | jitter and rolls | jitter | neither |\n|---|---|---|---|")
	for _, r := range results {
		imprintLine(w, r.Seed, r.Imprint)
	}
	imprintLine(w, "all", all.Ratio())
}

func imprintLine(w io.Writer, seed any, ratio map[string]float64) {
	fmt.Fprintf(w, "| %v |", seed)
	for _, v := range variants {
		fmt.Fprintf(w, " %.2f |", ratio[v.name])
	}
	fmt.Fprintln(w)
}
