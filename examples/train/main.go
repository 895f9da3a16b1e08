// Command train trains a network from a recipe, or resumes an interrupted run:
//
//	go run ./examples/train -config examples/train/shear.yaml -out runs/shear
//
// It writes the checkpoints last and best, log.jsonl and TensorBoard's event files to
// the folder. It can be interrupted (Ctrl-C) at any time; the same command resumes it.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/gowalrus/gowalrus/examples/internal/progress"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if status := command.Status("train", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("train", flag.ContinueOnError)
	config := flags.String("config", "", "recipe, a YAML file (package walrus/recipe)")
	out := flags.String("out", "", "folder of the run")
	auto := flags.Bool("auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	allow := flags.Bool("allow-changes", false, "resume a run although the recipe has changed since")
	verbose := flags.Bool("v", false, "log every compiled program")
	if err := command.Parse(flags, args, stdout); err != nil {
		return err
	}
	if *config == "" || *out == "" || flags.NArg() > 0 {
		return command.Usage("expected -config FILE and -out FOLDER")
	}
	r, err := recipe.Read(*config)
	if err != nil {
		return err
	}
	b, err := backend.Pick(*auto)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelInfo
	}
	r.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	o, err := r.Open()
	if err != nil {
		return err
	}
	defer o.Close()
	o.Options.AllowChanges = *allow
	return progress.Fit(ctx, o, b, *out, stdout, stderr)
}
