package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// importOptions are the flags of import.
type importOptions struct {
	guess, mapping, out string
}

// importFiles returns the subcommand import.
func (a *app) importFiles() *cobra.Command {
	var o importOptions
	c := a.command(&cobra.Command{
		Use:   "import",
		Short: "Make a data set of any files of arrays",
		Long: `Reads HDF5, NetCDF, NPY, NPZ, Zarr and raw binary files by a mapping, a short YAML text
that says which array is which field and what its axes are, and writes a data set in the
layout of The Well with statistics, which every other subcommand reads. Without --out it
only opens the files and says what it found. --guess looks into files and begins the
mapping: fill in the boundaries and compare the lines that are marked CHECK.`,
		Example: `  gowalrus import --guess runs --map runs.yaml
  gowalrus import --map runs.yaml
  gowalrus import --map runs.yaml --out datasets`,
	}, func(ctx context.Context) error { return a.runImport(ctx, o) })
	f := c.Flags()
	f.StringVar(&o.guess, "guess", "", "`path` of a file or a folder to look into: the mapping goes to --map, or to standard output without it")
	f.StringVar(&o.mapping, "map", "", "`file` of the mapping; relative paths in it belong to its folder")
	f.StringVar(&o.out, "out", "", "`folder` in which the folder of the data set is created")
	return c
}

// runImport guesses, checks or imports.
func (a *app) runImport(ctx context.Context, o importOptions) error {
	switch {
	case o.guess != "" && o.out != "":
		return command.Usage("expected --guess PATH without --out: edit the mapping first")
	case o.guess != "":
		return a.guessMapping(o)
	case o.mapping == "":
		return command.Usage("expected --guess PATH, or --map FILE and --out FOLDER")
	}
	m, err := mapping.Read(o.mapping)
	if err != nil {
		return err
	}
	if o.out == "" {
		return a.describeMapping(m)
	}
	bar := meter.New(a.stderr, m.Name, "frames")
	defer bar.Close()
	r, err := m.Write(ctx, mapping.WriteOptions{Out: o.out, Progress: bar.SetInt})
	if err != nil {
		return err
	}
	bar.Close()
	fmt.Fprintf(a.stdout, "%s: trajectories %s, %d frames\n", r.Dir, splitText(r.Trajectories), r.Frames)
	for _, note := range r.Notes {
		fmt.Fprintln(a.stdout, "note:", note)
	}
	return nil
}

// guessMapping writes a guess to a new file or to standard output.
func (a *app) guessMapping(o importOptions) error {
	text, err := mapping.Guess(o.guess, filepath.Dir(o.mapping))
	if err != nil {
		return err
	}
	if o.mapping == "" {
		_, err = a.stdout.Write(text)
		return err
	}
	if _, err := os.Lstat(o.mapping); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the file exists: remove it, or choose another one for --map", o.mapping)
	}
	if err := atomicfile.WriteBytes(o.mapping, text); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s: fill in the boundaries and compare the lines marked CHECK, then: gowalrus import --map %s --out FOLDER\n", o.mapping, o.mapping)
	return nil
}

// describeMapping opens the files and says what they hold.
func (a *app) describeMapping(m *mapping.Mapping) error {
	ds, err := m.Open(mapping.Options{})
	if err != nil {
		return err
	}
	meta := ds.Metadata()
	var channels []string
	for _, f := range meta.Fields {
		channels = append(channels, f.Components(len(meta.Grid))...)
	}
	fmt.Fprintf(a.stdout, "%s: grid %v of %v, channels %v\ntrajectories %s, steps of the first %d\n",
		meta.Name, meta.Grid, meta.Axes, channels, splitText(ds.Splits()), ds.Trajectories()[0].Steps)
	for _, note := range ds.Notes() {
		fmt.Fprintln(a.stdout, "note:", note)
	}
	return ds.Close()
}

// splitText formats the number of trajectories of each split: "8 train, 1 valid, 1 test".
func splitText(n map[string]int) string {
	return fmt.Sprintf("%d train, %d valid, %d test", n["train"], n["valid"], n["test"])
}
