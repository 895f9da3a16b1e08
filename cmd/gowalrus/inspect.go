package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	preset, config, checkpoint string // checkpoint may be one of nano.Names
	grid, boundary             string
	history                    int
	data, fit                  string
	backend, asJSON, stats     bool
}

// inspect returns the subcommand inspect.
func (a *app) inspect() *cobra.Command {
	var o inspectOptions
	c := a.command(&cobra.Command{
		Use:   "inspect",
		Short: "Describe networks, checkpoints, data sets and the backend",
		Long: `Describes a network, its plan for a grid, a checkpoint, data sets or the backend, without
loading any weights. For a checkpoint of this library it prints the data that the weights
were trained on, and with --grid the properties of the plan that the training lacked. With
--fit it estimates which forecasts and trainings fit into a device's memory. With
--data it reads every value and lists all problems; with --stats it writes the stats.yaml
of a data set that has none. With --json it prints one JSON object instead of text.`,
		Example: `  gowalrus inspect --preset walrus
  gowalrus inspect --preset poseidon-l
  gowalrus inspect --preset walrus --grid 256x512 --boundary periodic,wall
  gowalrus inspect --weights nano
  gowalrus inspect --fit 12GiB --grid 512x512 --boundary periodic,wall
  gowalrus inspect --weights runs/shear/best --grid 32x48 --boundary periodic,wall
  gowalrus inspect --data testdata/data/shear_flow
  gowalrus inspect --data datasets/mine --stats
  gowalrus inspect --backend`,
	}, func(ctx context.Context) error {
		if err := o.check(); err != nil {
			return err
		}
		return a.runInspect(ctx, o)
	})
	f := c.Flags()
	f.StringVar(&o.preset, "preset", "", "network: `name` of a preset (walrus, if nothing else is asked for)")
	f.StringVar(&o.config, "config", "", "network: `path` of an extended_config.yaml")
	f.StringVar(&o.checkpoint, "weights", "", weightsUsage)
	f.StringVar(&o.checkpoint, "checkpoint", "", "the same as --weights")
	f.StringVar(&o.grid, "grid", "", "plan this grid: `points` per axis, such as 256x512")
	f.StringVar(&o.boundary, "boundary", "", "`boundaries` per axis of the grid: periodic, wall, open, or wall/open for low/high, such as periodic,wall")
	f.IntVar(&o.history, "history", 0, "frames of the history that the advice on a --grid supposes (6, in 3D 3, if 0)")
	f.StringVar(&o.data, "data", "", "check data sets: `path` or address of a file, a data set or a folder of data sets; every value is read")
	f.StringVar(&o.fit, "fit", "", "list the forecasts and trainings that fit into this `memory`, such as 12GiB, on the --grid or on 256x256 points")
	f.BoolVar(&o.stats, "stats", false, "with --data: compute the statistics of the training split of a data set and write its stats.yaml")
	f.BoolVar(&o.backend, "backend", false, "open the default backend and multiply two matrices on it")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	complete(c, "preset", slices.Concat(walrus.PresetNames(), peerPresets()))
	complete(c, "weights", nano.Names())
	return c
}

// check checks that the flags fit together, and chooses the preset if none are given.
func (o *inspectOptions) check() error {
	switch {
	case o.preset != "" && o.config != "":
		return command.Usage("expected --preset or --config, got both")
	case o.data != "" && (o.preset != "" || o.config != "" || o.checkpoint != "" || o.grid != "" || o.fit != "" || o.backend):
		return command.Usage("expected --data alone or with --json, got other flags, too")
	case o.stats && (o.data == "" || o.asJSON):
		return command.Usage("expected --data FOLDER with --stats, and no --json")
	case o.data != "":
	case o.grid == "" && o.boundary != "":
		return command.Usage("expected --grid with --boundary, got --boundary alone")
	case o.history < 0 || o.history > 0 && o.grid == "" && o.fit == "":
		return command.Usage("expected --history of 1 or more, with --grid or --fit, got %d", o.history)
	case o.grid != "" && o.boundary == "":
		return command.Usage("expected --boundary with --grid (periodic, wall or open per axis), got --grid alone")
	case o.preset == "" && o.config == "" && o.checkpoint == "" && (!o.backend || o.grid != "" || o.fit != ""):
		o.preset = "walrus"
	}
	return nil
}

// runInspect prints the report that the flags ask for.
func (a *app) runInspect(ctx context.Context, o inspectOptions) error {
	if o.data != "" {
		m := meter.New(a.stderr, "reading "+o.data, "")
		defer m.Close()
		if !o.stats {
			return a.describeData(ctx, o.data, o.asJSON, well.Describe)
		}
		file, err := well.CreateStatistics(ctx, o.data)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "wrote %s\n", file)
		return err
	}
	r, err := collect(o)
	if err != nil {
		return err
	}
	if !o.asJSON {
		_, err = io.WriteString(a.stdout, r.text())
		return err
	}
	return json.NewEncoder(a.stdout).Encode(r)
}

// collect collects the parts of the report that the flags ask for.
func collect(o inspectOptions) (*inspection, error) {
	r := &inspection{}
	if err := r.network(o); err != nil {
		return nil, err
	}
	if o.checkpoint != "" {
		if err := r.checkpoint(o.checkpoint); err != nil {
			return nil, err
		}
	}
	if o.grid != "" {
		if err := r.plan(o); err != nil {
			return nil, err
		}
	}
	if o.fit != "" {
		if err := r.fit(o); err != nil {
			return nil, err
		}
	}
	if o.backend {
		return r, r.backend()
	}
	return r, nil
}

// plan plans the grid of --grid.
func (r *inspection) plan(o inspectOptions) error {
	grid, bcs, err := o.parseGrid()
	if err != nil {
		return err
	}
	if r.Config == nil {
		return command.Usage("--grid: expected a network to plan for (--preset or --config), got none, or one of another design")
	}
	m, err := walrus.NewModel(*r.Config)
	if err != nil {
		return err
	}
	if r.Plan, err = m.Plan(grid, bcs); err != nil {
		return err
	}
	if o.history == 0 {
		o.history = data.Metadata{Grid: grid}.History()
	}
	r.Advice = walrus.Advise(*r.Config, r.Coverage, r.Plan, o.history)
	return nil
}

// parseGrid reads --grid and --boundary.
func (o inspectOptions) parseGrid() ([]int, data.Boundaries, error) {
	grid, err := data.ParseGrid(o.grid)
	if err != nil {
		return nil, nil, command.Usage("--grid: %w", err)
	}
	bcs, err := data.ParseBoundaries(o.boundary)
	if err == nil && len(bcs) != len(grid) {
		err = fmt.Errorf("expected %d axes as in --grid %s, got %d", len(grid), o.grid, len(bcs))
	}
	if err != nil {
		return nil, nil, command.Usage("--boundary: %w", err)
	}
	return grid, bcs, nil
}

// describeData prints the descriptions of the data sets at a path, and returns the reasons
// why some cannot be used. describe is well.Describe or well.Audit.
func (a *app) describeData(ctx context.Context, path string, asJSON bool, describe func(context.Context, string) (*well.Description, error)) error {
	paths, err := well.Find(path)
	if err != nil {
		return err
	}
	var all []*well.Description
	var problems error
	for _, path := range paths {
		d, err := describe(ctx, path)
		all, problems = append(all, d), errors.Join(problems, err)
	}
	return errors.Join(printData(a.stdout, all, asJSON), problems)
}
