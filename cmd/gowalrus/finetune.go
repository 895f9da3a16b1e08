package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// finetuneOptions are the flags of finetune.
type finetuneOptions struct {
	// recipe has the values of the flags that are keys of a recipe.
	recipe                *recipe.Recipe
	data, out             string
	epochs, history, rank int
	// windows is the number of windows that are scored before and after.
	windows     int
	drop        []string
	fixed, auto bool
	rated       bool // --rate was given
}

// finetune returns the subcommand finetune.
func (a *app) finetune() *cobra.Command {
	o := finetuneOptions{recipe: recipe.Finetuning(nano.Name, "")}
	var c *cobra.Command
	c = a.command(&cobra.Command{
		Use:   "finetune",
		Short: "Finetune weights on a data set",
		Long: `Finetunes weights on a data set with the settings of the paper's authors: half the
learning rate of pretraining, statistics of the data set (its stats.yaml) in place of
those of each window, and rotary frequencies learned per axis. Fields that the weights do
not know are added. The folder of the run gets the checkpoints best and last. The run can
be interrupted (Ctrl-C) at any time; the same command resumes it.

Only --data is needed. Before and after the training a few windows of valid, or of test,
are forecast, and the errors are printed beside those of persistence (the last frame
repeated) and linear extrapolation. The last lines say how to forecast with the result.

Weights of Poseidon, DPOT and MPP are finetuned as in the paper's comparison: with their own
losses, adapted to the fields and the grid of the data set, and normalised by its statistics.
The checkpoints hold them in the published layout. fno and unet in place of weights are plain
references, which are trained from scratch.`,
		Example: `  gowalrus finetune --data datasets/mine
  gowalrus finetune --weights nano --data testdata/data/shear_flow --out runs/shear
  gowalrus finetune --data testdata/data/shear_flow --out runs/adapters --lora 8 --epochs 3
  gowalrus finetune --weights Poseidon-T --data datasets/mine --out runs/poseidon
  gowalrus evaluate --weights runs/shear/best --data testdata/data/shear_flow`,
	}, func(ctx context.Context) error {
		o.rated = c.Flags().Changed("rate")
		return a.runFinetune(ctx, o)
	})
	f, r := c.Flags(), o.recipe
	weightsFlag(c, &r.Weights)
	f.StringVar(&o.data, "data", "", "`folder` or address (hf://datasets/OWNER/NAME, https://...) of a data set with train and, for validation, valid")
	f.StringVar(&o.out, "out", "", "`folder` of the run (runs/ and the name of the data's folder if empty)")
	f.IntVar(&o.epochs, "epochs", r.Epochs, "epochs; warm-up takes a fifth of them, cooldown three tenths")
	f.IntVar(&r.Updates, "updates", r.Updates, "updates of an epoch")
	f.Float64Var(&r.Schedule.Base, "rate", r.Schedule.Base, "largest learning rate (1e-3 for fno and unet)")
	f.Uint64Var(&r.Seed, "seed", r.Seed, "seed of order, jitter and new columns")
	f.StringVar(&r.Objective.Statistics, "statistics", r.Objective.Statistics, "`source`: dataset for the statistics of stats.yaml, history for those of each window, as in pretraining")
	f.IntVar(&o.history, "history", 0, "frames of history (6, in 3D 3, if 0; Poseidon 1, DPOT 10)")
	f.IntVar(&o.windows, "windows", 4, "windows to score before and after the training, none if 0")
	f.BoolVar(&r.APE, "ape", false, "add a learned absolute position embedding")
	f.BoolVar(&o.fixed, "fixed-rope", false, "keep the rotary frequencies as they are")
	f.StringArrayVar(&r.Freeze, "freeze", nil, "`pattern` of tensors that are not trained, such as blocks.*; may be repeated")
	f.StringSliceVar(&o.drop, "drop", nil, dropUsage)
	f.IntVar(&o.rank, "lora", 0, "train low-rank adapters of this `rank` in place of the matrices of the processor's attention and MLP")
	f.BoolVar(&o.auto, "auto", false, autoUsage)
	complete(c, "statistics", []string{"dataset", "history"})
	return c
}

// complete sets the keys of the recipe that follow from other flags.
func (o *finetuneOptions) complete() error {
	if o.data == "" || o.windows < 0 {
		return command.Usage("expected --data FOLDER and --windows of 0 or more")
	}
	path, err := o.data, error(nil)
	if !hub.IsAddress(path) {
		path, err = filepath.Abs(path)
	}
	if o.out == "" {
		o.out = filepath.Join("runs", filepath.Base(path))
	}
	o.recipe.Data = []recipe.Data{{Path: path, History: o.history, Drop: o.drop}}
	o.recipe.SetEpochs(o.epochs)
	if rate := o.recipe.Schedule.Base; o.recipe.Peer() != "" {
		o.recipe.SetPeer()
		if o.rated {
			o.recipe.Schedule.Base = rate
		}
	}
	if o.fixed {
		delete(o.recipe.Network, "rope")
	}
	if o.rank > 0 {
		o.recipe.LoRA = &recipe.LoRA{Rank: o.rank}
	}
	return err
}

// runFinetune finetunes.
func (a *app) runFinetune(ctx context.Context, o finetuneOptions) error {
	if err := o.complete(); err != nil {
		return err
	}
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	opened, err := o.recipe.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := o.announce(a, opened, b); err != nil {
		return err
	}
	split := scoredSplit(o.data)
	if o.windows == 0 {
		split = ""
	}
	var before *eval.Result
	if split != "" {
		if before, err = o.scoreStart(ctx, a, opened, b, split); err != nil {
			return err
		}
	}
	finished, err := a.fit(ctx, opened, b, o.out)
	if err != nil || !finished {
		return err
	}
	weights := train.RunCheckpoint(o.out)
	if before != nil {
		f, err := (&networkOptions{weights: weights, auto: o.auto}).openAny()
		if err != nil {
			return err
		}
		after, err := o.score(ctx, a, f, split, "after")
		f.Close()
		if err != nil {
			return err
		}
		a.printScores(before, after, split)
	}
	a.printNext(o, weights, scoredSplit(o.data))
	return nil
}

// announce prints what the weights do not know and opens the network of a peer.
func (o *finetuneOptions) announce(a *app, opened *recipe.Opened, b compute.Backend) error {
	if opened.Peer == "" {
		if n := opened.Report.NewFields; len(n) > 0 {
			fmt.Fprintf(a.stdout, "Fields that the weights do not know, which start fresh: %v\n", n)
		}
		return nil
	}
	fresh, err := opened.OpenPeer(b)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		fmt.Fprintf(a.stdout, "Tensors of %s that start fresh: %v\n", opened.Peer, fresh)
	}
	s := opened.Options.Systems[0]
	o.history = max(2, s.Cut.Input) // also for the baselines
	return nil
}

// scoreStart scores the weights with which a training starts. It returns nil and prints a
// note if the data have no windows to score.
func (o finetuneOptions) scoreStart(ctx context.Context, a *app, opened *recipe.Opened, b compute.Backend, split string) (*eval.Result, error) {
	var f walrus.Forecaster = opened.Network
	if opened.Network == nil {
		em, err := walrus.NewEmulator(opened.Weights, walrus.EmulatorOptions{Backend: b})
		if err != nil {
			return nil, err
		}
		defer em.Close()
		f = em
	}
	before, err := o.score(ctx, a, f, split, "before")
	if ctx.Err() == nil && err != nil {
		fmt.Fprintf(a.stdout, "Note: the weights are not scored before and after: %v\n", err)
		return nil, nil
	}
	return before, err
}
