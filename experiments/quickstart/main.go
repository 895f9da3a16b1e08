// Command quickstart trains a small network from scratch on six runs of sound waves and
// forecasts a run that it has never seen:
//
//	GOEXPERIMENT=simd go run ./experiments/quickstart -train 150s -seed 1
//
// It prints the error of every forecast step next to those of two baselines and writes
// truth, forecast and error as a PNG and an animated GIF. The last line is one JSON object
// with the numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// options are the command's flags.
type options struct {
	seed    uint64
	train   time.Duration
	updates int
	steps   int
	out     string
	anyBack bool
}

// first is the first frame of the unseen run that is forecast, history the number of frames
// that the network sees.
const first, history = 8, 4

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	f.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the order of the data and the jitter")
	f.DurationVar(&o.train, "train", 150*time.Second, "train for this long")
	f.IntVar(&o.updates, "updates", 0, "train for this many updates, whatever they take")
	f.IntVar(&o.steps, "steps", 20, "frames to forecast, at most 23")
	f.StringVar(&o.out, "out", "out/quickstart", "folder for the pictures")
	f.BoolVar(&o.anyBack, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
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
	b, err := backend.Pick(o.anyBack)
	if err != nil {
		return err
	}
	weights, err := walrus.InitWeights(network(), o.seed)
	if err != nil {
		return err
	}
	defer weights.Finalize()
	if err := describe(stdout, weights, set, b); err != nil {
		return err
	}
	if err := fit(ctx, weights, set.Train, b, o, stderr); err != nil {
		return err
	}
	f, err := predict(ctx, weights, unseen, b, o, stderr)
	if err != nil {
		return err
	}
	if err := f.draw(o.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nWrote step1.png, forecast.gif and vrmse.png to %s\n\n", o.out)
	return f.report(stdout, o.seed, time.Since(begin))
}
