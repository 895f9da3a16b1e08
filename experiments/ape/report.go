package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// result is the result of one system.
type result struct {
	System   string    `json:"system"`
	Horizons []horizon `json:"horizons"`
	// Curves are the errors of every step for each way of finetuning: the median over
	// the runs, then over the seeds.
	Curves map[string][]float64 `json:"curves"`
}

// horizon holds the median errors over a range of steps.
type horizon struct {
	Steps string `json:"steps"`
	Runs  int    `json:"runs"`
	// Seeds holds the median errors of each way, one value per seed.
	Seeds map[string][]float64 `json:"seeds"`
	// APE compares finetuning with and without APE, seed by seed.
	APE         experiment.Comparison `json:"ape"`
	Persistence float64               `json:"persistence"`
	Linear      float64               `json:"linear"`
}

// ways are the ways of finetuning that are compared.
var ways = []string{withAPE, withoutAPE}

// summarise collects the scores of all seeds, the shortest horizon first.
func summarise(system string, r *eval.Result, seeds []uint64) *result {
	out := &result{System: system, Curves: map[string][]float64{}}
	for _, way := range ways {
		var curves [][]float64
		for _, seed := range seeds {
			curves = append(curves, r.Horizons[0].Curves[name(way, seed)])
		}
		out.Curves[way] = experiment.Middle(curves)
	}
	for _, found := range slices.Backward(r.Horizons) {
		h := horizon{Steps: found.Horizon.String(), Runs: found.Windows, Seeds: map[string][]float64{},
			Persistence: found.Scores["persistence"].Median, Linear: found.Scores["linear"].Median}
		for _, way := range ways {
			for _, seed := range seeds {
				h.Seeds[way] = append(h.Seeds[way], found.Scores[name(way, seed)].Median)
			}
		}
		h.APE = experiment.Compare(h.Seeds[withAPE], h.Seeds[withoutAPE])
		out.Horizons = append(out.Horizons, h)
	}
	return out
}

// show prints a table.
func show(w io.Writer, results []*result) {
	fmt.Fprintln(w, "| system | steps | APE | no APE | APE better | improvement | persistence |\n|---|---|---|---|---|---|---|")
	for _, r := range results {
		for _, h := range r.Horizons {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %d of %d | %.0f %% | %.3f |\n", r.System, h.Steps,
				list(h.Seeds[withAPE]), list(h.Seeds[withoutAPE]), h.APE.Better, h.APE.Of, h.APE.Improvement, h.Persistence)
		}
	}
}

// list joins values to one text.
func list(values []float64) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprintf("%.3f", v))
	}
	return strings.Join(parts, " ")
}

// draw draws the errors of every step.
func draw(path string, results []*result) error {
	sheet := experiment.Sheet{Columns: 2}
	for _, r := range results {
		c := report.Chart{Title: r.System, XLabel: "step", YLabel: "VRMSE", LogY: true, Width: 480, Height: 360}
		for _, way := range ways {
			c.Lines = append(c.Lines, report.Line{Name: way, Values: r.Curves[way]})
		}
		sheet.Drawings = append(sheet.Drawings, c)
	}
	return picture.PNG(path, sheet)
}
