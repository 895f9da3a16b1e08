package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// convertOptions are the flags of convert.
type convertOptions struct {
	convert.Options
	boundary    string
	stats, list bool
}

// convert returns the subcommand convert.
func (a *app) convert() *cobra.Command {
	var o convertOptions
	c := a.command(&cobra.Command{
		Use:   "convert",
		Short: "Convert files of other collections to a data set",
		Long: `Converts a file of PDEBench, PDEArena, PDEGym, FlowBench or BubbleML to a data set in the
layout of The Well, which every other subcommand reads. It prints what the file left open
and what was assumed.`,
		Example: `  gowalrus convert --list
  gowalrus convert --in 2D_CFD_Rand_M0.1.hdf5 --out datasets
  gowalrus convert --in Re_100.npz --out datasets --boundary open/open,wall --split random --stats`,
	}, func(ctx context.Context) error {
		if !o.list {
			return a.runConvert(ctx, o)
		}
		for _, format := range convert.Formats() {
			fmt.Fprintf(a.stdout, "%s: %s\n", format.Name, format.Description)
		}
		return nil
	})
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the formats")
	f.StringVar(&o.Input, "in", "", "`file` to convert")
	f.StringVar(&o.Out, "out", "", "`folder` in which the folder of the data set is created")
	f.StringVar(&o.Format, "format", "", "`name` of the format, see --list (found from the name of the file if empty)")
	f.StringVar(&o.Name, "name", "", "`name` of the data set (that of the format if empty)")
	f.StringVar(&o.Split, "split", "", "`split`: train, valid, test, or random for 80, 10 and 10 percent of the trajectories (from the name of the file if empty)")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of --split random")
	f.StringVar(&o.boundary, "boundary", "", "`boundaries` per axis instead of the format's: periodic, wall, open, or wall/open for low/high, such as periodic,wall")
	f.BoolVar(&o.stats, "stats", false, "write stats.yaml of the training split when done")
	var formats []string
	for _, format := range convert.Formats() {
		formats = append(formats, format.Name)
	}
	complete(c, "format", formats)
	complete(c, "split", []string{"train", "valid", "test", "random"})
	return c
}

// runConvert converts a file.
func (a *app) runConvert(ctx context.Context, o convertOptions) (err error) {
	if o.Input == "" || o.Out == "" {
		return command.Usage("expected --in FILE and --out FOLDER")
	}
	if o.Boundaries, err = data.ParseBoundaries(o.boundary); err != nil {
		return command.Usage("--boundary: %w", err)
	}
	m := meter.New(a.stderr, filepath.Base(o.Input), "frames")
	defer m.Close()
	o.Progress = m.SetInt
	r, err := convert.Convert(ctx, o.Options)
	if err != nil {
		return err
	}
	m.Close()
	fmt.Fprintf(a.stdout, "%s: %d trajectories of %d frames as %s\n", strings.Join(r.Files, ", "), r.Trajectories, r.Steps, r.Format)
	for _, note := range r.Notes {
		fmt.Fprintln(a.stdout, "note:", note)
	}
	if !o.stats {
		return nil
	}
	s := meter.New(a.stderr, "statistics", "")
	defer s.Close()
	return well.UpdateStatistics(ctx, r.Dir)
}
