// Command fetch downloads data sets of The Well and the released weights from the
// model hub into the cache, and prints the folder:
//
//	go run ./examples/fetch -dataset shear_flow -split test
//	go run ./examples/fetch -weights
//	go run ./examples/fetch -list
//
// A download that was interrupted goes on where it stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
)

// errUsage marks mistakes in the flags.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "fetch:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

// run is the whole command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("fetch", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	c := hub.Client{Token: os.Getenv("HF_TOKEN")}
	dataset := f.String("dataset", "", "name of a data set of The Well, see -list")
	split := f.String("split", "", "splits, such as test or train,valid (all if empty)")
	weights := f.Bool("weights", false, "the released weights and their configuration (5 GB)")
	list := f.Bool("list", false, "list the data sets of the paper that the hub has")
	f.StringVar(&c.Cache, "out", "", "cache folder (that of the user if empty)")
	f.StringVar(&c.Endpoint, "endpoint", "", "address of the hub ("+hub.DefaultEndpoint+" if empty); the environment's HF_TOKEN is its token")
	f.BoolVar(&c.Offline, "offline", false, "use the cache only")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", errUsage, err)
	case *list:
		return listDatasets(stdout)
	case (*dataset == "") == !*weights:
		return fmt.Errorf("%w: expected -dataset NAME or -weights", errUsage)
	}
	c.Progress = progress(stderr)
	var dir string
	var err error
	if *weights {
		dir, err = c.Walrus(ctx)
	} else {
		dir, err = c.WellDataset(ctx, *dataset, strings.FieldsFunc(*split, func(r rune) bool { return r == ',' })...)
	}
	fmt.Fprintln(stderr)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, dir)
	return err
}

// progress returns a function that draws a bar for each file.
func progress(out io.Writer) func(path string, done, total int64) {
	var bar *progressbar.ProgressBar
	current := ""
	return func(path string, done, total int64) {
		if path != current {
			if bar != nil {
				fmt.Fprintln(out)
			}
			current = path
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(path),
				progressbar.OptionShowBytes(true), progressbar.OptionThrottle(200*time.Millisecond))
		}
		_ = bar.Set64(done)
	}
}

// listDatasets lists the data sets of The Well in the catalog.
func listDatasets(out io.Writer) error {
	var b strings.Builder
	for _, e := range data.Catalog {
		if e.Source == "The Well" {
			fmt.Fprintf(&b, "%s: %v, %d trajectories\n", e.Name, e.Grid, e.Trajectories)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
