// Command quickstart forecasts sound waves that the network has never seen, with the weights
// that come with the library. It takes seconds and needs nothing but Go:
//
//	GOEXPERIMENT=simd go run ./examples/quickstart
//
// It prints the error of every step next to those of two baselines, and writes a page with
// curves and pictures and an animation of truth, forecast and error.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

func main() {
	steps := flag.Int("steps", 20, "frames to forecast, at most 23")
	out := flag.String("out", "out/quickstart", "folder for the page and the animation")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *steps, *out, os.Stdout); err != nil {
		log.Fatal("quickstart: ", err)
	}
}

// The forecast starts at frame first of a run and sees the history frames before it.
const first, history = 8, 6

// forecasters are the columns of table and page.
var forecasters = []string{"walrus", "persistence", "linear"}

// run forecasts, prints the errors and writes the page.
func run(ctx context.Context, steps int, dir string, out io.Writer) error {
	set, err := sample.Load()
	if err != nil {
		return err
	}
	w, err := set.Test[0].Slice(first-history, first+steps) // known frames, then the truth
	if err != nil {
		return fmt.Errorf("-steps: %w", err)
	}
	b, err := backend.Pick(false) // pure Go, or the backend in GOMLX_BACKEND
	if err != nil {
		return err
	}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()
	fmt.Fprintf(out, "Sound waves on a grid of %v, boundaries %v along x and %v along y.\n", w.Grid, w.Boundaries[0], w.Boundaries[1])

	compared := eval.Baselines() // persistence and linear extrapolation
	compared[forecasters[0]] = eval.Model(em)
	result, frames, err := eval.EvaluateWindow(ctx, w, compared, history)
	if err != nil {
		return err
	}
	result.Dataset = sample.Name
	table(out, result.Horizons[0])

	truth, err := w.Slice(history, history+steps)
	if err != nil {
		return err
	}
	pictures := &report.Sample{Truth: truth, Forecast: frames[forecasters[0]]}
	if err := report.Write(dir, "Sound waves", forecasters, []report.Entry{{Result: result, Sample: pictures}}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Wrote %s and %s.gif\n", filepath.Join(dir, report.HTMLFile), filepath.Join(dir, sample.Name))
	return err
}

// table prints the errors and whether the network beats both baselines.
func table(out io.Writer, h eval.HorizonResult) {
	fmt.Fprintln(out, "VRMSE (0 is perfect, 1 is as good as the mean of the frame)")
	fmt.Fprintf(out, "%4s", "step")
	var means []float64
	for _, name := range forecasters {
		fmt.Fprintf(out, " %12s", name)
		means = append(means, eval.Mean(h.Curves[name]))
	}
	for i := range h.Curves[forecasters[0]] {
		fmt.Fprintf(out, "\n%4d", i+1)
		for _, name := range forecasters {
			fmt.Fprintf(out, " %12.3f", h.Curves[name][i])
		}
	}
	fmt.Fprintf(out, "\nmean %12.3f %12.3f %12.3f\n", means[0], means[1], means[2])
	fmt.Fprintf(out, "beats both in the mean: %v\n", means[0] < min(means[1], means[2]))
}
