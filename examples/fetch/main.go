// Command fetch downloads data sets of The Well and the released weights from the
// model hub into the cache, and prints the folder for well.Open or walrus.Load:
//
//	go run ./examples/fetch -list
//	go run ./examples/fetch -list -dataset shear_flow
//	go run ./examples/fetch -dataset shear_flow -split test
//	go run ./examples/fetch -weights -out models
//
// An interrupted download resumes where it stopped. With -offline only the cache is
// used. The environment variables HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are
// honoured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// options are the command's flags.
type options struct {
	dataset, split string
	weights, list  bool
	client         *hub.Client
}

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("fetch", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o.client = hub.FromEnvironment()
	f.StringVar(&o.dataset, "dataset", "", "name of a data set of The Well, see -list")
	f.StringVar(&o.split, "split", "", "splits of the data set, such as test or train,valid (all if empty)")
	f.BoolVar(&o.weights, "weights", false, "the released weights and their configuration (5 GB)")
	f.BoolVar(&o.list, "list", false, "download nothing: list the paper's data sets on the hub, or with -dataset or -weights the files")
	f.StringVar(&o.client.Cache, "out", "", "cache folder (that of the user if empty)")
	f.StringVar(&o.client.Endpoint, "endpoint", o.client.Endpoint, "address of the hub ("+hub.DefaultEndpoint+" if empty)")
	f.BoolVar(&o.client.Offline, "offline", o.client.Offline, "use the cache only")
	f.IntVar(&o.client.Parallel, "parallel", 0, "files at the same time (4 if 0)")
	return f
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("fetch", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	f := newFlags(&o)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", command.ErrUsage, err)
	case f.NArg() > 0:
		return fmt.Errorf("%w: expected flags only, got %q", command.ErrUsage, f.Arg(0))
	case o.dataset != "" && o.weights || o.dataset == "" && !o.weights && !o.list:
		return fmt.Errorf("%w: expected -dataset NAME or -weights", command.ErrUsage)
	case o.split != "" && (o.dataset == "" || o.list):
		return fmt.Errorf("%w: -split goes with a data set that is downloaded", command.ErrUsage)
	case o.list && o.dataset == "" && !o.weights:
		return listDatasets(stdout)
	case o.list:
		return listFiles(ctx, o, stdout)
	}
	return download(ctx, o, stdout, stderr)
}

// repo returns the repository that the flags name.
func (o options) repo() hub.Repo {
	if o.weights {
		return hub.Weights()
	}
	return hub.Dataset(o.dataset)
}

// download fetches files and prints the folder.
func download(ctx context.Context, o options, stdout, stderr io.Writer) error {
	m := meter.New(stderr, o.repo().Name, meter.Bytes)
	o.client.Progress = func(p hub.Progress) { m.Set(p.AllDone, p.AllSize) }
	o.client.Log = slog.New(slog.NewTextHandler(m, nil))
	var dir string
	var err error
	if o.weights {
		dir, err = o.client.Walrus(ctx)
	} else {
		splits := strings.FieldsFunc(o.split, func(r rune) bool { return r == ',' || r == ' ' })
		dir, err = o.client.WellDataset(ctx, o.dataset, splits...)
	}
	m.Close()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, dir)
	return err
}

// listDatasets lists the data sets of The Well in the catalog.
func listDatasets(out io.Writer) error {
	var b strings.Builder
	for _, e := range data.Catalog() {
		if e.Source == "The Well" {
			fmt.Fprintf(&b, "%s: %v, %d trajectories\n", e.Name, e.Grid, e.Trajectories)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// listFiles lists the files of a repository with their sizes in bytes.
func listFiles(ctx context.Context, o options, out io.Writer) error {
	files, err := o.client.List(ctx, o.repo())
	if err != nil {
		return err
	}
	var b strings.Builder
	sum := int64(0)
	for _, f := range files {
		fmt.Fprintf(&b, "%15d  %s\n", f.Size, f.Path)
		sum += f.Size
	}
	fmt.Fprintf(&b, "%15d  bytes in %d files\n", sum, len(files))
	_, err = io.WriteString(out, b.String())
	return err
}
