package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// simulateOptions are the flags of simulate. Train, Valid and Test of the options are set
// from trajectories.
type simulateOptions struct {
	solve.Options
	list         bool
	system, grid string
	trajectories int
}

// simulate returns the subcommand simulate.
func (a *app) simulate() *cobra.Command {
	o := simulateOptions{Options: solve.Options{Fixed: map[string]float64{}}}
	c := a.command(&cobra.Command{
		Use:   "simulate",
		Short: "Make a data set by solving equations",
		Long: `Solves the equations of a system for random parameters and initial states and writes a
data set in the layout of The Well: the folders data/train, data/valid and data/test with
80, 10 and 10 percent of the trajectories, and stats.yaml. The same seed gives the same
files.`,
		Example: `  gowalrus simulate --list
  gowalrus simulate --system gray_scott --out datasets
  gowalrus simulate --system rayleigh_benard --out datasets --trajectories 40 --grid 128x32 --param Rayleigh=1e5`,
	}, func(ctx context.Context) error {
		if o.list {
			return listSystems(a.stdout)
		}
		return a.runSimulate(ctx, o)
	})
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the systems with their equations and parameters")
	f.StringVar(&o.system, "system", "", "`name` of the system, see --list")
	f.StringVar(&o.Out, "out", "", "`folder` in which the folder of the data set is created")
	f.IntVar(&o.trajectories, "trajectories", 10, "number of simulations: 80 % for training, at least one each for validation and test")
	f.IntVar(&o.Frames, "steps", 0, "frames of each simulation (the system's own number if 0)")
	f.Float64Var(&o.Interval, "interval", 0, "time between two frames (the system's default if 0)")
	f.StringVar(&o.grid, "grid", "", "`points` along each axis, such as 64x64 (the system's default if empty)")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of parameters and initial states")
	f.Func("param", "`NAME=NUMBER`: a parameter that is given instead of drawn; may be repeated", o.param)
	var names []string
	for _, s := range solve.Systems() {
		names = append(names, s.Name)
	}
	complete(c, "system", names)
	return c
}

// param reads the value of --param.
func (o *simulateOptions) param(s string) error {
	name, text, ok := strings.Cut(s, "=")
	v, err := strconv.ParseFloat(text, 64)
	if !ok || name == "" || err != nil {
		return fmt.Errorf("expected NAME=NUMBER, got %q", s)
	}
	o.Fixed[name] = v
	return nil
}

// check completes the options.
func (o *simulateOptions) check() (err error) {
	switch {
	case o.system == "":
		return command.Usage("--system: expected the name of a system, got none; --list shows them")
	case o.Out == "":
		return command.Usage("--out: expected a folder")
	case o.trajectories < 3:
		return command.Usage("--trajectories: expected at least 3, one for each split, got %d", o.trajectories)
	}
	if o.System, err = solve.Lookup(o.system); err != nil {
		return command.Usage("--system: %w", err)
	}
	if o.grid != "" {
		if o.Grid, err = data.ParseGrid(o.grid); err != nil {
			return command.Usage("--grid: %w", err)
		}
	}
	train, valid, test := data.SplitTrajectories(o.trajectories, 0)
	o.Train, o.Valid, o.Test = len(train), len(valid), len(test)
	return nil
}

// runSimulate makes a data set.
func (a *app) runSimulate(ctx context.Context, o simulateOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	m := meter.New(a.stderr, o.system, "frames")
	defer m.Close()
	o.Progress = m.SetInt
	dir, err := solve.Simulate(ctx, o.Options)
	if err != nil {
		return err
	}
	m.Close()
	_, err = fmt.Fprintf(a.stdout, "%s: %d trajectories for training, %d for validation, %d for test\n", dir, o.Train, o.Valid, o.Test)
	return err
}

// listSystems describes the systems.
func listSystems(out io.Writer) error {
	var b strings.Builder
	for _, s := range solve.Systems() {
		fmt.Fprintf(&b, "%s: %s\n  %s\n  %s\n", s.Name, s.Title, s.Equation, s.Method)
		fmt.Fprintf(&b, "  grid %v, %d frames %v apart, boundaries %v\n", s.Grid, s.Frames, s.Interval, s.Boundaries)
		for _, p := range s.Parameters {
			fmt.Fprintf(&b, "  --param %s=%v…%v  %s\n", p.Name, p.Low, p.High, p.Doc)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
