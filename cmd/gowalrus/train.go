package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/distributed/mpi"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// trainOptions are the flags of train.
type trainOptions struct {
	config, out                  string
	auto, allowChanges, programs bool
	mpi                          bool
}

// train returns the subcommand train.
func (a *app) train() *cobra.Command {
	var o trainOptions
	c := a.command(&cobra.Command{
		Use:   "train",
		Short: "Train a network from a recipe, or resume the run",
		Long: `Trains a network from a recipe, a YAML file whose keys the package walrus/recipe documents.
The folder of the run gets the checkpoints last and best, log.jsonl and TensorBoard's
event files. The run can be interrupted (Ctrl-C) at any time; the same command resumes it.`,
		Example: `  gowalrus train --config examples/recipes/shear.yaml --out runs/shear
  gowalrus evaluate --weights runs/shear/best --data testdata/data/shear_flow
  mpirun -n 4 gowalrus train --mpi --config recipe.yaml --out runs/four`,
	}, func(ctx context.Context) error { return a.runTrain(ctx, o) })
	f := c.Flags()
	f.StringVar(&o.config, "config", "", "recipe, a YAML `file`")
	f.StringVar(&o.out, "out", "", "`folder` of the run")
	f.BoolVar(&o.auto, "auto", false, autoUsage)
	f.BoolVar(&o.allowChanges, "allow-changes", false, "resume a run although the recipe has changed since")
	f.BoolVar(&o.mpi, "mpi", false, "train with the other processes that mpirun or srun has started (in programs built with the tag mpi)")
	f.BoolVarP(&o.programs, "verbose", "v", false, "log every compiled program")
	return c
}

// runTrain trains.
func (a *app) runTrain(ctx context.Context, o trainOptions) error {
	if o.config == "" || o.out == "" {
		return command.Usage("expected --config FILE and --out FOLDER")
	}
	r, err := recipe.Read(o.config)
	if err != nil {
		return err
	}
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if o.programs {
		level = slog.LevelInfo
	}
	r.Log = slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
	opened, err := r.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	opened.Options.AllowChanges = o.allowChanges
	if !o.mpi {
		_, err := a.fit(ctx, opened, b, o.out)
		return err
	}
	engine, err := mpi.Start()
	if err != nil {
		return err
	}
	if engine.Rank() != 0 {
		a.stdout, a.stderr = io.Discard, io.Discard // rank 0 speaks for all
	}
	opened.Options.Trainer.Engine = engine
	if _, err := a.fit(ctx, opened, b, o.out); err != nil {
		engine.Abort(err) // prints the error and ends all processes
	}
	return engine.Close()
}
