// Command convert converts files of PDEBench, PDEArena, PDEGym, FlowBench and BubbleML
// to the layout of The Well:
//
//	go run ./examples/convert -list
//	go run ./examples/convert -in 2D_CFD_Rand_….hdf5 -out datasets
//	go run ./examples/convert -in Re_100.npz -out datasets -boundary open/open,wall -split random -stats
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("convert", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("convert", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var o convert.Options
	f.StringVar(&o.Input, "in", "", "file to convert")
	f.StringVar(&o.Out, "out", "", "folder that gets the folder of the data set")
	f.StringVar(&o.Format, "format", "", "name of the format (found from the name of the file if empty), see -list")
	f.StringVar(&o.Name, "name", "", "name of the data set (that of the format if empty)")
	f.StringVar(&o.Split, "split", "", "train, valid, test, or random for 80, 10 and 10 percent of the trajectories; from the name of the file if empty")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of -split random")
	boundary := f.String("boundary", "", "boundary per axis instead of the format's: periodic, wall, open, or wall/open for low/high, such as periodic,wall")
	stats := f.Bool("stats", false, "write stats.yaml of the training split when done")
	list := f.Bool("list", false, "list the formats")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", command.ErrUsage, err)
	case *list:
		for _, format := range convert.Formats() {
			fmt.Fprintf(stdout, "%s: %s\n", format.Name, format.Description)
		}
		return nil
	case o.Input == "" || o.Out == "":
		return fmt.Errorf("%w: expected -in FILE and -out FOLDER", command.ErrUsage)
	}
	var err error
	if o.Boundaries, err = data.ParseBoundaries(*boundary); err != nil {
		return fmt.Errorf("%w: -boundary: %w", command.ErrUsage, err)
	}
	m := meter.New(stderr, filepath.Base(o.Input), "frames")
	o.Progress = m.SetInt
	r, err := convert.Convert(ctx, o)
	m.Close()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d trajectories of %d frames as %s\n", strings.Join(r.Files, ", "), r.Trajectories, r.Steps, r.Format)
	for _, note := range r.Notes {
		fmt.Fprintln(stdout, "note:", note)
	}
	if *stats {
		m := meter.New(stderr, "statistics", "")
		defer m.Close()
		return well.UpdateStatistics(ctx, r.Dir)
	}
	return nil
}
