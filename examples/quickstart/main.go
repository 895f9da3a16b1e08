// Command quickstart forecasts sound waves that the network has never seen, with the
// weights that come with the library. It takes seconds and needs nothing but Go:
//
//	GOEXPERIMENT=simd go run ./examples/quickstart
//
// It prints the error of every forecast step next to those of two baselines, and writes
// truth, forecast and error as a PNG and an animated GIF and the errors as a chart. The
// last line is one JSON object with the numbers.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// The network sees history frames, as in its training; first is the first frame that it
// forecasts.
const history, first = 6, 8

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal("quickstart: ", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	seed := f.Uint64("seed", 1, "seed of the jitter")
	steps := f.Int("steps", 20, "frames to forecast, at most 23")
	out := f.String("out", "out/quickstart", "folder for the pictures")
	auto := f.Bool("auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("expected flags only, got %q", f.Args())
	}
	set, err := sample.Load()
	if err != nil {
		return err
	}
	unseen := set.Test[0]
	if most := len(unseen.Frames) - first; *steps < 1 || *steps > most {
		return fmt.Errorf("-steps must be positive, and the unseen run has %d frames after the history; got %d", most, *steps)
	}
	b, err := backend.Pick(*auto)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Sound waves in a medium of varying density, grid %v, forecast by walrus-nano on %s.\n", unseen.Grid, b.Description())
	begin := time.Now()
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: *seed})
	if err != nil {
		return err
	}
	defer em.Close()

	// Forecast and score, together with persistence (the last frame repeated) and linear
	// extrapolation (the last change repeated).
	window, err := unseen.Slice(first-history, first+*steps)
	if err != nil {
		return err
	}
	forecasters := eval.Baselines()
	forecasters["walrus"] = eval.Model(em)
	result, frames, err := eval.EvaluateWindow(ctx, window, forecasters, history)
	if err != nil {
		return err
	}
	truth, err := window.Slice(history, history+*steps)
	if err != nil {
		return err
	}
	if err := draw(*out, truth, frames["walrus"], &result.Horizons[0]); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Wrote step1.png, forecast.gif and vrmse.png to %s\n\n", *out)
	return table(stdout, result.Horizons[0].Curves, *seed, time.Since(begin))
}

// draw writes the pictures.
func draw(dir string, truth *data.Window, forecast [][]float32, errs *eval.HorizonResult) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	all, err := picture.Compare(truth, forecast, picture.Options{Title: "unseen run"})
	if err != nil {
		return err
	}
	waves, err := picture.Compare(truth, forecast, picture.Options{Title: "sound waves", Channels: []string{"pressure"}})
	if err != nil {
		return err
	}
	chart, err := report.Curves(errs, []string{"walrus", "persistence", "linear"})
	if err != nil {
		return err
	}
	return errors.Join(
		picture.PNG(filepath.Join(dir, "step1.png"), all[0]),
		picture.GIF(filepath.Join(dir, "forecast.gif"), waves, 200*time.Millisecond),
		picture.PNG(filepath.Join(dir, "vrmse.png"), chart))
}

// table prints the errors, a verdict and the JSON line.
func table(w io.Writer, curves map[string][]float64, seed uint64, took time.Duration) error {
	ours, last, line := curves["walrus"], curves["persistence"], curves["linear"]
	fmt.Fprintln(w, "VRMSE (0 is perfect, 1 is as good as the mean of the frame)\nstep     walrus   persistence   linear")
	for i := range ours {
		fmt.Fprintf(w, "%4d   %8.3f   %11.3f   %6.3f\n", i+1, ours[i], last[i], line[i])
	}
	n := min(10, len(ours))
	mean := func(v []float64) float64 { return eval.Mean(v[:n]) }
	better := ours[0] < min(last[0], line[0]) && mean(ours) < min(mean(last), mean(line))
	fmt.Fprintf(w, "mean of the first %d: %.3f   %.3f   %.3f\n", n, mean(ours), mean(last), mean(line))
	fmt.Fprintf(w, "beats both, at one step and in the mean: %v\n\n", better)
	return json.NewEncoder(w).Encode(struct {
		Seed        uint64    `json:"seed"`
		Seconds     float64   `json:"seconds"`
		VRMSE       []float64 `json:"vrmse"`
		Persistence []float64 `json:"persistence"`
		Linear      []float64 `json:"linear"`
	}{seed, took.Seconds(), ours, last, line})
}
