// Command quickstart forecasts sound waves that the network has never seen, with the
// shipped weights. It takes seconds and needs nothing but Go:
//
//	GOEXPERIMENT=simd go run ./examples/quickstart
//
// The second part trains a small network from scratch on six other runs and forecasts
// the same run:
//
//	GOEXPERIMENT=simd go run ./examples/quickstart -train 150s
//
// It prints the error of every forecast step next to those of two baselines and writes
// truth, forecast and error as a PNG and an animated GIF. The last line is one JSON
// object with the numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/examples/quickstart/dataset"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
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

// first is the first frame of the unseen run that is forecast.
const first = 8

// history returns the number of frames that the network sees: that of walrus-nano's
// training, or fewer for the network that is trained here.
func (o options) history() int {
	if o.trains() {
		return 4
	}
	return 6
}

// trains reports whether a network is to be trained.
func (o options) trains() bool { return o.train > 0 || o.updates > 0 }

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	f.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the order of the data and the jitter")
	f.DurationVar(&o.train, "train", 0, "train a network of its own for this long, such as 150s")
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
	if o.steps < 1 || o.updates < 0 || o.train < 0 {
		return o, command.Usage("-steps must be positive, -train and -updates not negative")
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
	set, err := dataset.Load()
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
	weights, err := load(o, b)
	if err != nil {
		return err
	}
	defer weights.Finalize()
	if err := describe(stdout, weights, set, b); err != nil {
		return err
	}
	if o.trains() {
		if err := fit(ctx, weights, set.Train, b, o, stderr); err != nil {
			return err
		}
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

// load returns the shipped weights, or fresh weights to train.
func load(o options, b compute.Backend) (*walrus.Weights, error) {
	if o.trains() {
		return walrus.InitWeights(network(), o.seed)
	}
	return nano.Weights(walrus.LoadOptions{Backend: b})
}
