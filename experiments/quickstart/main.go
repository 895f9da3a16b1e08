// Command quickstart trains a small network from scratch on six runs of
// the quickstart's sound waves and forecasts the run that examples/quickstart forecasts:
//
//	GOEXPERIMENT=simd go run ./experiments/quickstart -train 150s
//
// It prints and draws the same as examples/quickstart.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// options are the command's flags.
type options struct {
	seed    uint64
	train   time.Duration
	updates int
	steps   int
	out     string
	auto    bool
}

// The network sees history frames; first is the first frame that it forecasts.
const history, first = 4, 8

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	f.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the order of the data and the jitter")
	f.DurationVar(&o.train, "train", 150*time.Second, "train for this long")
	f.IntVar(&o.updates, "updates", 0, "train for this many updates, whatever they take")
	f.IntVar(&o.steps, "steps", 20, "frames to forecast, at most 23")
	f.StringVar(&o.out, "out", "out/quickstart-trained", "folder for the pictures")
	f.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	if err := command.Parse(f, args, stdout); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, command.Usage("expected flags only, got %q", f.Args())
	}
	if o.steps < 1 || o.updates < 0 || o.train <= 0 {
		return o, command.Usage("-steps and -train must be positive, -updates not negative")
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("quickstart", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	begin := time.Now()
	set, err := sample.Load()
	if err != nil {
		return err
	}
	unseen := set.Test[0]
	if most := len(unseen.Frames) - first; o.steps > most {
		return command.Usage("-steps: the unseen run has %d frames after the history, got %d", most, o.steps)
	}
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	weights, err := walrus.InitWeights(network(), o.seed)
	if err != nil {
		return err
	}
	defer weights.Close()
	if err := describe(stdout, weights, set, b); err != nil {
		return err
	}
	if err := fit(ctx, weights, set.Train, b, o, stderr); err != nil {
		return err
	}
	window, err := unseen.Slice(first-history, first+o.steps)
	if err != nil {
		return err
	}
	forecast, scores, err := predict(ctx, weights, window, b, o)
	if err != nil {
		return err
	}
	if err := draw(o.out, window, forecast, scores); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Wrote step1.png, forecast.gif and vrmse.png to %s\n\n", o.out)
	ours, last, line := scores.Curves["walrus"], scores.Curves["persistence"], scores.Curves["linear"]
	fmt.Fprintln(stdout, "step     walrus   persistence   linear")
	for i := range ours {
		fmt.Fprintf(stdout, "%4d   %8.3f   %11.3f   %6.3f\n", i+1, ours[i], last[i], line[i])
	}
	return json.NewEncoder(stdout).Encode(map[string]any{"seed": o.seed, "seconds": time.Since(begin).Seconds(),
		"vrmse": ours, "persistence": last, "linear": line})
}

// predict forecasts the window after its history and scores the forecast.
func predict(ctx context.Context, w *walrus.Weights, window *data.Window, b compute.Backend, o options) ([][]float32, *eval.HorizonResult, error) {
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: o.seed})
	if err != nil {
		return nil, nil, err
	}
	defer em.Close()
	forecasters := eval.Baselines()
	forecasters["walrus"] = eval.Model(em)
	r, frames, err := eval.EvaluateWindow(ctx, window, forecasters, history)
	if err != nil {
		return nil, nil, err
	}
	return frames["walrus"], &r.Horizons[0], nil
}

// draw writes the pictures.
func draw(dir string, window *data.Window, forecast [][]float32, scores *eval.HorizonResult) error {
	truth, err := window.Slice(history, len(window.Frames))
	if err != nil {
		return err
	}
	panels, err := picture.Compare(truth, forecast, picture.Options{Title: "unseen run"})
	if err != nil {
		return err
	}
	chart, err := report.Curves(scores, []string{"walrus", "persistence", "linear"})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(picture.PNG(filepath.Join(dir, "step1.png"), panels[0]),
		picture.GIF(filepath.Join(dir, "forecast.gif"), panels, 200*time.Millisecond),
		picture.PNG(filepath.Join(dir, "vrmse.png"), chart))
}
