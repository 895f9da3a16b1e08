package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// baselines are the references without training.
var baselines = []string{"persistence", "linear"}

// report prints the medians over the seeds for each data set and horizon, the smallest in bold,
// as in the paper's Table 1.
func report(w io.Writer, lines []line) {
	columns := append(names(), baselines...)
	columns = slices.DeleteFunc(columns, func(name string) bool {
		return !slices.ContainsFunc(lines, func(l line) bool { return l.Errors[name] != nil })
	})
	fmt.Fprint(w, "| data | steps |")
	for _, name := range columns {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprint(w, "\n|---|---|")
	for range columns {
		fmt.Fprint(w, "---:|")
	}
	fmt.Fprintln(w)
	for _, name := range append(slices.Clone(sets), hidden) {
		for k, h := range horizons {
			if values := medians(lines, name, k); len(values) > 0 {
				row(w, fmt.Sprintf("| %s | %v |", name, h), columns, values)
			}
		}
	}
}

// medians returns the median over the seeds of the error of every network on a data set over
// horizon k. A network of which a forecast diverged with one of the seeds has none.
func medians(lines []line, name string, k int) map[string]float64 {
	all, diverged := map[string][]float64{}, map[string]bool{}
	for _, l := range lines {
		if l.Data != name || l.Split != "test" {
			continue
		}
		for network, errors := range l.Errors {
			switch {
			case k >= len(errors):
			case errors[k] == nil:
				diverged[network] = true
			default:
				all[network] = append(all[network], *errors[k])
			}
		}
	}
	out := map[string]float64{}
	for network, values := range all {
		if !diverged[network] {
			out[network] = eval.Median(values)
		}
	}
	return out
}

// row prints a row of the table.
func row(w io.Writer, title string, columns []string, values map[string]float64) {
	best := ""
	for _, name := range columns {
		if v, ok := values[name]; ok && (best == "" || v < values[best]) {
			best = name
		}
	}
	fmt.Fprint(w, title)
	for _, name := range columns {
		v, ok := values[name]
		switch {
		case !ok:
			fmt.Fprint(w, " – |")
		case name == best:
			fmt.Fprintf(w, " **%.3f** |", v)
		default:
			fmt.Fprintf(w, " %.3f |", v)
		}
	}
	fmt.Fprintln(w)
}

// ahead is the step of the frames in the picture.
const ahead = 10

// keep adds the frame of a network's forecast of the first unseen run to a file, and the frames
// now and in truth.
func keep(ctx context.Context, ds data.Dataset, network string, f walrus.Forecaster, path string) error {
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: history + ahead}, nil)
	if err != nil {
		return err
	}
	before, err := w.Slice(0, history)
	if err != nil {
		return err
	}
	frames, err := readFrames(path)
	if err != nil {
		return err
	}
	frames["now"], frames["truth"] = before.Frames[history-1], w.Frames[history+ahead-1]
	for frame, err := range f.Rollout(ctx, before, ahead) {
		if err != nil {
			return err
		}
		frames[network] = frame.Values
	}
	text, err := json.Marshal(frames)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o666)
}

// readFrames reads the frames of earlier networks.
func readFrames(path string) (map[string][]float32, error) {
	out := map[string][]float32{}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

// draw draws the frames of the advection, if there are any.
func draw(dir string) error {
	frames, err := readFrames(filepath.Join(dir, "frames.json"))
	if err != nil || len(frames) == 0 {
		return err
	}
	const side = 32
	p := picture.Panel{Title: fmt.Sprintf("hidden speed, %d steps on", ahead), H: side, W: side, Scale: 5, Smooth: true, Rows: []picture.Row{{Label: "u"}}}
	for _, name := range append([]string{"now", "truth"}, names()...) {
		if values, ok := frames[name]; ok {
			p.Columns = append(p.Columns, name)
			p.Rows[0].Cells = append(p.Rows[0].Cells, picture.Cell{Values: values, Map: picture.CoolWarm})
		}
	}
	return picture.PNG(filepath.Join(dir, "forecast.png"), p)
}
