package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// result is the result of one seed.
type result struct {
	Seed uint64 `json:"seed"`
	// Pretrained holds the errors before finetuning.
	Pretrained []*taskResult `json:"pretrained"`
	Tasks      []*taskResult `json:"tasks"`
}

// taskResult holds the errors of one task.
type taskResult struct {
	Task   string   `json:"task"`
	Scores []scores `json:"scores"`
}

// scores are median VRMSE after a number of updates, by horizon and forecaster.
type scores struct {
	Updates int                           `json:"updates"`
	Errors  map[string]map[string]float64 `json:"errors"`
}

// pretrained finds or adds the errors of a system before finetuning.
func (r *result) pretrained(name string) *taskResult {
	i := slices.IndexFunc(r.Pretrained, func(t *taskResult) bool { return t.Task == name })
	if i < 0 {
		i = len(r.Pretrained)
		r.Pretrained = append(r.Pretrained, &taskResult{Task: name})
	}
	return r.Pretrained[i]
}

// add adds the errors after a number of updates.
func (t *taskResult) add(updates int, found *eval.Result) {
	i := slices.IndexFunc(t.Scores, func(s scores) bool { return s.Updates == updates })
	if i < 0 {
		i = len(t.Scores)
		t.Scores = append(t.Scores, scores{updates, map[string]map[string]float64{}})
	}
	for _, h := range found.Horizons {
		errors := t.Scores[i].Errors
		if errors[h.Horizon.String()] == nil {
			errors[h.Horizon.String()] = map[string]float64{}
		}
		for name, s := range h.Scores {
			errors[h.Horizon.String()][name] = s.Median
		}
	}
}

// middle returns the medians over seeds of results that hold the same tasks.
func middle(seeds [][]*taskResult) []*taskResult {
	var out []*taskResult
	for i, t := range seeds[0] {
		m := &taskResult{Task: t.Task}
		for k, s := range t.Scores {
			medians := scores{s.Updates, map[string]map[string]float64{}}
			for h, errors := range s.Errors {
				medians.Errors[h] = map[string]float64{}
				for name := range errors {
					var values []float64
					for _, seed := range seeds {
						values = append(values, seed[i].Scores[k].Errors[h][name])
					}
					medians.Errors[h][name] = eval.Median(values)
				}
			}
			m.Scores = append(m.Scores, medians)
		}
		out = append(out, m)
	}
	return out
}

// split separates the results before finetuning from the tasks.
func split(results []*result) (pretrained, tasks []*taskResult) {
	var before, after [][]*taskResult
	for _, r := range results {
		before, after = append(before, r.Pretrained), append(after, r.Tasks)
	}
	return middle(before), middle(after)
}

// show prints the tables.
func show(w io.Writer, results []*result) {
	pretrained, tasks := split(results)
	fmt.Fprintf(w, "VRMSE before finetuning, median over runs and %d seeds\n", len(results))
	fmt.Fprintln(w, "| system | steps | naive | augmented |\n|---|---|---|---|")
	for _, t := range pretrained {
		for _, h := range slices.Backward(horizons) {
			s := t.Scores[0].Errors[h.String()]
			fmt.Fprintf(w, "| %s | %v | %.3f | %.3f |\n", t.Task, h, s["naive"], s["augmented"])
		}
	}
	fmt.Fprintln(w, "\nVRMSE after finetuning\n| task | steps | updates | scratch | naive | augmented | persistence | linear |\n|---|---|---|---|---|---|---|---|")
	for _, t := range tasks {
		for _, h := range slices.Backward(horizons) {
			for _, found := range t.Scores {
				s := found.Errors[h.String()]
				fmt.Fprintf(w, "| %s | %v | %d | %.3f | %.3f | %.3f | %.3f | %.3f |\n", t.Task, h, found.Updates,
					s["scratch"], s["naive"], s["augmented"], s["persistence"], s["linear"])
			}
		}
	}
	fmt.Fprintln(w, "\naugmented beside naive, over seeds and budgets\n| task | steps | better | median improvement |\n|---|---|---|---|")
	for i, t := range tasks {
		for _, h := range slices.Backward(horizons) {
			c := compare(results, i, h)
			fmt.Fprintf(w, "| %s | %v | %d of %d | %.0f %% |\n", t.Task, h, c.Better, c.Of, c.Improvement)
		}
	}
}

// compare compares the augmented with the naive start of one task.
func compare(results []*result, task int, h eval.Horizon) experiment.Comparison {
	var with, without []float64
	for _, r := range results {
		for _, s := range r.Tasks[task].Scores {
			with = append(with, s.Errors[h.String()]["augmented"])
			without = append(without, s.Errors[h.String()]["naive"])
		}
	}
	return experiment.Compare(with, without)
}

// draw draws the error of one step after each budget, one chart per task.
func draw(path string, results []*result) error {
	_, tasks := split(results)
	sheet := experiment.Sheet{Columns: 2}
	for _, t := range tasks {
		c := report.Chart{Title: t.Task, XLabel: "updates", YLabel: "VRMSE of one step", LogX: true, LogY: true, Width: 480, Height: 360}
		for _, s := range starts {
			l := report.Line{Name: s.name}
			for _, found := range t.Scores {
				l.X, l.Values = append(l.X, float64(found.Updates)), append(l.Values, found.Errors["1"][s.name])
			}
			c.Lines = append(c.Lines, l)
		}
		sheet.Drawings = append(sheet.Drawings, c)
	}
	return picture.PNG(path, sheet)
}
