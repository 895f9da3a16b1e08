// Command finetune finetunes weights on a data set with the settings of the paper's
// authors (docs/reference.md §13): half the learning rate, statistics of the data set
// in place of those of the history, learnable rotary frequencies per axis. Fields that
// the weights do not know are added to their registry.
//
//	go run ./examples/finetune -weights nano -data testdata/data/shear_flow -out runs/shear
//	go run ./examples/evaluate -weights runs/shear/best -data testdata/data/shear_flow
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gowalrus/gowalrus/examples/internal/progress"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if status := command.Status("finetune", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// options are the command's flags that are not part of the recipe.
type options struct {
	out   string
	fixed bool
	rank  int
	auto  bool
}

// parse turns flags into a recipe.
func parse(args []string, stdout io.Writer) (*recipe.Recipe, options, error) {
	// The authors' recipe except for its length: theirs is 51 epochs of 500 updates.
	r := &recipe.Recipe{Epochs: 10, Updates: 100, Accumulate: 1,
		Schedule:   recipe.Schedule{Base: 1e-4, Warmup: 2, WarmupFactor: 0.01, Cooldown: 3},
		Objective:  recipe.Objective{Eps: 1e-8, Statistics: "dataset"},
		Network:    map[string]any{"drop_path": 0},
		Validation: recipe.Validation{Every: 1}}
	var o options
	f := flag.NewFlagSet("finetune", flag.ContinueOnError)
	f.StringVar(&r.Weights, "weights", nano.Name, "weights to start from: "+strings.Join(nano.Names(), ", ")+" or a checkpoint")
	dir := f.String("data", "", "folder of a Well data set with train and, for validation, valid")
	f.StringVar(&o.out, "out", "", "folder of the run")
	f.IntVar(&r.Epochs, "epochs", r.Epochs, "epochs; warm-up takes a fifth of them, cooldown three tenths")
	f.IntVar(&r.Updates, "updates", r.Updates, "updates of an epoch")
	f.Float64Var(&r.Schedule.Base, "rate", r.Schedule.Base, "largest learning rate")
	f.Uint64Var(&r.Seed, "seed", 1, "seed of order, jitter and new columns")
	f.StringVar(&r.Objective.Statistics, "statistics", r.Objective.Statistics, "dataset for those of stats.yaml, history for those of each window, as in pretraining")
	history := f.Int("history", 0, "frames of history (6, in 3D 3)")
	f.BoolVar(&r.APE, "ape", false, "add a learned absolute position embedding")
	f.BoolVar(&o.fixed, "fixed-rope", false, "keep the rotary frequencies as they are")
	f.Func("freeze", "pattern of tensors that are not trained, such as blocks.*; may be repeated", func(s string) error {
		r.Freeze = append(r.Freeze, s)
		return nil
	})
	var drop []string
	f.Func("drop", "NAME,NAME: fields of the data set to leave out; may be repeated", func(s string) error {
		drop = append(drop, strings.Split(s, ",")...)
		return nil
	})
	f.IntVar(&o.rank, "lora", 0, "train low-rank adapters of this rank in place of the matrices of the processor's attention and MLP")
	f.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	if err := command.Parse(f, args, stdout); err != nil {
		return nil, o, err
	}
	if *dir == "" || o.out == "" || f.NArg() > 0 {
		return nil, o, command.Usage("expected -data FOLDER and -out FOLDER")
	}
	path, err := filepath.Abs(*dir)
	r.Data = []recipe.Data{{Path: path, History: *history, Drop: drop}}
	complete(r, o)
	return r, o, err
}

// complete sets the options that follow from the flags.
func complete(r *recipe.Recipe, o options) {
	r.Schedule.Warmup, r.Schedule.Cooldown = max(1, r.Epochs/5), max(1, 3*r.Epochs/10)
	if r.Epochs < 3 {
		r.Schedule.Warmup, r.Schedule.Cooldown = -1, -1
	}
	if !o.fixed {
		r.Network["rope"] = "per_axis"
	}
	if o.rank > 0 {
		r.LoRA = &recipe.LoRA{Rank: o.rank}
	}
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r, o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	opened, err := r.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	if n := opened.Report.NewFields; len(n) > 0 {
		fmt.Fprintf(stdout, "Fields that the weights do not know, which start fresh: %v\n", n)
	}
	return progress.Fit(ctx, opened, b, o.out, stdout, stderr)
}
