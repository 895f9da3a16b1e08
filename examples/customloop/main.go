// Command customloop trains with a custom training loop: the weights are variables of a
// gomlx store, gomlx's Adam updates them, and the loss is written here, not in
// walrus/train.
//
//	GOEXPERIMENT=simd go run ./examples/customloop
//	GOEXPERIMENT=simd go run ./examples/customloop -network parts
//
// The network is a whole Walrus, or a network built here from packages layers, csm and
// jitter. Both learn in seconds to continue waves of unknown speed. At the end the
// weights of the Walrus are copied to the library, whose emulator forecasts with them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

var networks = map[string]func() (network, error){"walrus": newWhole, "parts": newParts}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("customloop", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("customloop", flag.ContinueOnError)
	name := flags.String("network", "walrus", "walrus or parts")
	updates := flags.Int("updates", 150, "updates of the weights")
	rate := flags.Float64("rate", 3e-3, "learning rate")
	seed := flags.Uint64("seed", 1, "seed of weights, data and jitter")
	if err := command.Parse(flags, args, stdout); err != nil {
		return err
	}
	make, known := networks[*name]
	if !known || flags.NArg() > 0 || *updates < 1 {
		return command.Usage("expected -network walrus or parts and -updates above 0, got %q", args)
	}
	b, err := backend.Go()
	if err != nil {
		return err
	}
	net, err := make()
	if err != nil {
		return err
	}
	l, err := newLoop(b, net, *rate, *seed)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.train(ctx, *updates, stdout); err != nil {
		return err
	}
	if w, ok := net.(whole); ok {
		return hand(ctx, l, w, b, stdout)
	}
	return nil
}

// train runs the loop. After every tenth of the updates it prints the mean loss since
// the last print and the VRMSE of one-step forecasts of unseen runs.
func (l *loop) train(ctx context.Context, updates int, out io.Writer) error {
	var sum float32
	every := max(1, updates/10)
	for i := range updates {
		if err := ctx.Err(); err != nil {
			return err
		}
		loss, err := l.step()
		if err != nil {
			return err
		}
		sum += loss
		if (i+1)%every == 0 {
			score, err := judge(l.forecast)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "update %d: loss %.3f, %v\n", i+1, sum/float32(every), score)
			sum = 0
		}
	}
	return nil
}
