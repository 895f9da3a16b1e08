// Command train trains a network as a recipe says, or goes on with a run that was
// interrupted:
//
//	go run ./examples/train -config examples/train/shear.yaml -out runs/shear
//
// The folder gets the checkpoints last and best, log.jsonl and TensorBoard's event
// files. Interrupt it (Ctrl-C) at any time; the same command goes on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gomlx/compute"
	"github.com/schollz/progressbar/v3"

	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// run is the whole command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("train", flag.ContinueOnError)
	flags.SetOutput(stderr)
	config := flags.String("config", "", "recipe, a YAML file (package walrus/recipe)")
	out := flags.String("out", "", "folder of the run")
	auto := flags.Bool("auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	verbose := flags.Bool("v", false, "log every compiled program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *config == "" || *out == "" || flags.NArg() > 0 {
		return errors.New("expected -config FILE and -out FOLDER")
	}
	r, err := recipe.Read(*config)
	if err != nil {
		return err
	}
	b, err := open(*auto)
	if err != nil {
		return err
	}
	o, err := r.Open()
	if err != nil {
		return err
	}
	defer o.Close()
	if *verbose {
		o.Options.Trainer.Log = slog.New(slog.NewTextHandler(stderr, nil))
	}
	return fit(ctx, o, b, *out, stdout, stderr)
}

func open(auto bool) (compute.Backend, error) {
	if auto {
		return backend.Default()
	}
	return backend.Go()
}

// fit runs the training with a progress bar.
func fit(ctx context.Context, o *recipe.Opened, b compute.Backend, dir string, stdout, stderr io.Writer) error {
	s := &screen{out: stdout, stderr: stderr}
	o.Options.Trainer.Backend, o.Options.Dir, o.Options.Observe = b, dir, s.show
	r, err := train.NewRun(o.Weights, o.Options)
	if err != nil {
		return err
	}
	defer r.Close()
	trained, all := r.Trainer().Trainable()
	fmt.Fprintf(stdout, "Training %d of %d parameters on %s.\n", trained, all, b.Description())
	if r.Resumed() {
		fmt.Fprintf(stdout, "Going on after update %d.\n", r.Trainer().Updates())
	}
	err = r.Go(ctx)
	s.finish()
	switch {
	case errors.Is(err, train.ErrInterrupted):
		fmt.Fprintf(stdout, "Interrupted after update %d; the same command goes on from here.\n", r.Trainer().Updates())
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintf(stdout, "Done: %d updates; weights in %s/%s.\n", r.Trainer().Updates(), dir, train.BestCheckpoint)
	return nil
}

// screen shows progress.
type screen struct {
	out, stderr io.Writer
	bar         *progressbar.ProgressBar
	loss        float64
	seen        int
}

func (s *screen) show(p train.Progress) {
	if p.Validation != nil {
		s.judged(p)
		return
	}
	if s.bar == nil {
		s.bar = progressbar.NewOptions64(p.Updates, progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(500*time.Millisecond), progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount())
	}
	s.seen++
	s.loss += (p.Loss - s.loss) / min(float64(s.seen), 50)
	s.bar.Describe(fmt.Sprintf("loss %.2f, rate %.2g, %.1f samples/s", s.loss, p.Rate, float64(p.Samples)/p.Took.Seconds()))
	_ = s.bar.Set64(p.Update) // a bar that cannot be drawn stops nothing
}

// judged prints a validation.
func (s *screen) judged(p train.Progress) {
	var parts []string
	for system, horizons := range p.Validation {
		for h, v := range horizons {
			parts = append(parts, fmt.Sprintf("%s %s: %.3f", system, h, v))
		}
	}
	slices.Sort(parts)
	if s.bar != nil {
		_ = s.bar.Clear()
	}
	fmt.Fprintf(s.out, "epoch %d, VRMSE by steps: %s\n", p.Epoch+1, strings.Join(parts, ", "))
}

func (s *screen) finish() {
	if s.bar != nil {
		_ = s.bar.Exit()
		fmt.Fprintln(s.stderr)
	}
}
