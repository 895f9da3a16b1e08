package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// copyOptions are the flags of split, subset, merge and downsample.
type copyOptions struct {
	well.CopyOptions
	data                 []string
	splits, trajectories []string
	ratios               []float64
}

// add adds the flags that all four have.
func (o *copyOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&o.data, "data", nil, "`path` or address of a data set, a folder of its files or a file; may be repeated")
	f.StringVar(&o.Out, "out", "", "new `folder` of the data set to write")
	f.StringVar(&o.Name, "name", "", "`name` of the new data set (that of its folder if empty)")
	f.IntVar(&o.Deflate, "deflate", 0, "compression level, 1 to 9; 6 if 0, none if -1")
}

// addRatios adds the flags of new splits.
func (o *copyOptions) addRatios(c *cobra.Command, ratios []float64, usage string) {
	c.Flags().Float64SliceVar(&o.ratios, "ratios", ratios, usage)
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "seed of the division into splits")
}

// split returns the subcommand split.
func (a *app) split() *cobra.Command {
	var o copyOptions
	c := a.copies(&cobra.Command{
		Use:   "split",
		Short: "Divide a data set into train, valid and test",
		Long: `Writes a data set whose trajectories are divided at random into train, valid and test,
with statistics of the new training split. The source may be a folder of files without
splits, or a data set, whose splits are put together first. A trajectory is never cut.`,
		Example: `  gowalrus split --data runs --out datasets/runs
  gowalrus split --data datasets/shear_flow --ratios 0.7,0.15,0.15 --seed 3 --out datasets/again`,
	}, &o)
	o.addRatios(c, []float64{0.8, 0.1, 0.1}, "`shares` of train, valid and test, which add up to 1")
	return c
}

// subset returns the subcommand subset.
func (a *app) subset() *cobra.Command {
	var o copyOptions
	c := a.copies(&cobra.Command{
		Use:   "subset",
		Short: "Write some fields, trajectories or frames of a data set",
		Long: `Writes a data set with some of the splits, trajectories, frames and fields of another,
with statistics. Trajectories are numbered from 0 in each split, frames from 0 in each
trajectory.`,
		Example: `  gowalrus subset --data datasets/shear_flow --splits train,test --trajectories 0-9,12 --out datasets/few
  gowalrus subset --data datasets/shear_flow --drop tracer --from 20 --to 60 --out datasets/middle`,
	}, &o)
	f := c.Flags()
	f.StringSliceVar(&o.splits, "splits", nil, "`splits` to keep, separated by commas (all if empty)")
	f.StringSliceVar(&o.trajectories, "trajectories", nil, "`numbers` of the trajectories to keep in each split, such as 0-9,12 (all if empty)")
	f.StringSliceVar(&o.Keep, "keep", nil, "`fields` to keep, separated by commas (all if empty)")
	f.StringSliceVar(&o.Drop, "drop", nil, "`fields` to leave out, separated by commas")
	f.IntVar(&o.From, "from", 0, "first frame to keep")
	f.IntVar(&o.To, "to", 0, "frame before which to end (all frames if 0)")
	complete(c, "splits", []string{"train", "valid", "test"})
	return c
}

// merge returns the subcommand merge.
func (a *app) merge() *cobra.Command {
	var o copyOptions
	c := a.copies(&cobra.Command{
		Use:   "merge",
		Short: "Make one data set of several",
		Long: `Writes the trajectories of several data sets to one, with statistics. The data sets must
have the same grid, axes, fields and scalars: all headers are compared before anything is
written, and the error names the first difference. Every trajectory keeps its split unless
--ratios divides them anew.`,
		Example: `  gowalrus merge --data datasets/first --data datasets/second --out datasets/both
  gowalrus merge --data first.hdf5 --data second.hdf5 --ratios 0.8,0.1,0.1 --out datasets/both`,
	}, &o)
	o.addRatios(c, nil, "`shares` of train, valid and test for a new division, which add up to 1")
	return c
}

// downsample returns the subcommand downsample.
func (a *app) downsample() *cobra.Command {
	var o copyOptions
	c := a.copies(&cobra.Command{
		Use:   "downsample",
		Short: "Write a data set on a coarser grid or with fewer frames",
		Long: `Writes a data set in which the mean of every block of --coarsen points along each axis is
one point, and every --stride-th frame is kept, with statistics. A mask is 1 where at
least half of a block is solid.`,
		Example: `  gowalrus downsample --data datasets/shear_flow --coarsen 2 --out datasets/coarse
  gowalrus downsample --data datasets/shear_flow --coarsen 4 --stride 5 --out datasets/small`,
	}, &o)
	f := c.Flags()
	f.IntVar(&o.Coarsen, "coarsen", 1, "points per axis that become one; it divides the grid")
	f.IntVar(&o.Stride, "stride", 1, "distance of two frames that are kept")
	return c
}

// copies completes a subcommand that copies data sets.
func (a *app) copies(c *cobra.Command, o *copyOptions) *cobra.Command {
	c = a.command(c, func(ctx context.Context) error { return a.runCopy(ctx, o) })
	o.add(c)
	return c
}

// complete sets the options that follow from texts.
func (o *copyOptions) complete() error {
	if len(o.data) == 0 || o.Out == "" {
		return command.Usage("expected --data PATH and --out FOLDER")
	}
	if n := len(o.ratios); n == 3 {
		o.Ratios = &data.Ratios{Train: o.ratios[0], Valid: o.ratios[1], Test: o.ratios[2]}
		if err := o.Ratios.Validate(); err != nil {
			return command.Usage("--ratios: %w", err)
		}
	} else if n != 0 {
		return command.Usage("--ratios: expected the three shares of train, valid and test, got %d", n)
	}
	for _, s := range o.splits {
		if !slices.Contains([]string{"train", "valid", "test"}, s) {
			return command.Usage("--splits: expected train, valid or test, got %q", s)
		}
	}
	ranges, err := parseRanges(o.trajectories)
	if err != nil {
		return command.Usage("--trajectories: %w", err)
	}
	if len(o.splits) == 0 && len(ranges) == 0 {
		return nil
	}
	o.Select = func(split string, number int, _ data.Trajectory) bool {
		in := func(r [2]int) bool { return r[0] <= number && number <= r[1] }
		return (len(o.splits) == 0 || slices.Contains(o.splits, split)) && (len(ranges) == 0 || slices.ContainsFunc(ranges, in))
	}
	return nil
}

// parseRanges reads numbers and ranges of numbers: 3, 0-9.
func parseRanges(texts []string) (out [][2]int, err error) {
	for _, text := range texts {
		low, high, isRange := strings.Cut(strings.TrimSpace(text), "-")
		if !isRange {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || from < 0 || to < from {
			return nil, fmt.Errorf("expected numbers and ranges such as 0-9,12, got %q", text)
		}
		out = append(out, [2]int{from, to})
	}
	return out, nil
}

// runCopy copies data sets and prints the result.
func (a *app) runCopy(ctx context.Context, o *copyOptions) error {
	if err := o.complete(); err != nil {
		return err
	}
	bar := meter.New(a.stderr, o.Out, "frames")
	defer bar.Close()
	o.Progress = bar.SetInt
	r, err := well.Copy(ctx, o.data, o.CopyOptions)
	if err != nil {
		return err
	}
	bar.Close()
	fmt.Fprintf(a.stdout, "%s: trajectories %s, %d frames in %d files\n", r.Dir, splitText(r.Trajectories), r.Frames, len(r.Files))
	for _, note := range r.Notes {
		fmt.Fprintln(a.stdout, "note:", note)
	}
	return nil
}
