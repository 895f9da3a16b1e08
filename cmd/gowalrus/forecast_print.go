package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// forecastColumns are the forecasters in the order of table and chart.
var forecastColumns = []string{"model", "persistence", "linear"}

// print prints the errors and the files, as text or as one JSON object.
func (p *prediction) print(w io.Writer, o forecastOptions, files []string) error {
	if o.asJSON {
		line := struct {
			Window  string           `json:"window"`
			Weights string           `json:"weights"`
			History int              `json:"history"`
			Steps   int              `json:"steps"`
			Seconds float64          `json:"seconds"`
			VRMSE   map[string][]any `json:"vrmse,omitempty"`
			Files   []string         `json:"files"`
		}{p.seen.Name, o.weights, p.history, p.steps, p.seconds, nil, files}
		if p.errors != nil {
			line.VRMSE = map[string][]any{}
			for name, curve := range p.errors.Curves {
				line.VRMSE[name] = nullable(curve)
			}
		}
		return json.NewEncoder(w).Encode(line)
	}
	fmt.Fprintf(w, "%s: %d steps from %d frames on a grid of %v, %.1f s\n", p.seen.Name, p.steps, p.history, p.seen.Grid, p.seconds)
	if p.errors != nil {
		p.table(w)
	}
	_, err := fmt.Fprintf(w, "wrote %s\n", strings.Join(files, ", "))
	return err
}

// table prints the error of every step.
func (p *prediction) table(w io.Writer) {
	fmt.Fprintln(w, "VRMSE (0 is perfect, 1 is as good as the mean of the truth)")
	row := func(first string, values func(curve []float64) float64) {
		fmt.Fprintf(w, "%4s", first)
		for _, name := range forecastColumns {
			fmt.Fprintf(w, "%12.3f", values(p.errors.Curves[name]))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%4s%12s%12s%12s\n", "step", forecastColumns[0], forecastColumns[1], forecastColumns[2])
	for i := range p.errors.Curves[forecastColumns[0]] {
		row(fmt.Sprint(i+1), func(curve []float64) float64 { return curve[i] })
	}
	row("mean", eval.Mean)
	if known := len(p.errors.Curves[forecastColumns[0]]); known < len(p.frames) {
		fmt.Fprintf(w, "steps %d to %d have no truth\n", known+1, len(p.frames))
	}
}

// nullable returns values for JSON, with nil for a step without a score.
func nullable(values []float64) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			out[i] = v
		}
	}
	return out
}
