package report_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	truth := &data.Window{Fields: []data.Field{{Name: "density"}}, Grid: []int{3, 2}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Open)},
		Frames: [][]float32{{1, 2, 3, 4, 5, 6}, {2, 3, 4, 5, 6, 7}}}
	result := &eval.Result{Dataset: "rain", Horizons: []eval.HorizonResult{{Horizon: eval.Horizon{From: 1, To: 2}, To: 2, Windows: 1,
		Scores: map[string]eval.Score{"model": {Median: 0.5}}, Curves: map[string][]float64{"model": {0.1, 0.2}}}}}
	chart := report.Chart{Title: "errors", LogY: true, Lines: []report.Line{{Name: "model", Values: []float64{0.1, 0.2}}}}
	bars := report.Bars{Names: []string{"a", "b"}, Series: []report.Line{{Name: "model", Values: []float64{1, 2}}}}
	sweep.Run(t, sweep.Package{
		Funcs:   []any{report.Curves, report.NewSample, report.Write},
		Types:   []any{new(report.Chart), new(report.Bars)},
		Values:  []any{truth, result, &result.Horizons[0], chart, bars, &report.Sample{Truth: truth, Forecast: truth.Frames}, []string{"model"}},
		Strings: []string{"model"},
		Calls:   150,
	})
}
