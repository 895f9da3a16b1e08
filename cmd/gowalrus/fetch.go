package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// fetchOptions are the flags of fetch.
type fetchOptions struct {
	dataset, peer string
	splits        []string
	weights, list bool
	client        *hub.Client
}

// fetch returns the subcommand fetch.
func (a *app) fetch() *cobra.Command {
	o := fetchOptions{client: hub.FromEnvironment()}
	c := a.command(&cobra.Command{
		Use:   "fetch",
		Short: "Download data sets of The Well and published weights",
		Long: `Downloads data sets of The Well, the released weights of Walrus, or those of Poseidon and
DPOT from the model hub into a cache and prints the path, for the flags --data and --weights
of other subcommands. An
interrupted download resumes where it stopped; every file is checked. With --offline only
the cache is used. The environment variables HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are
honoured.`,
		Example: `  gowalrus fetch --list
  gowalrus fetch --list --dataset shear_flow
  gowalrus fetch --dataset shear_flow --split test
  gowalrus fetch --weights --out models
  gowalrus fetch --peer poseidon-t`,
	}, func(ctx context.Context) error {
		switch {
		case o.named() > 1 || o.named() == 0 && !o.list:
			return command.Usage("expected one of --dataset NAME, --weights and --peer NAME")
		case len(o.splits) > 0 && (o.dataset == "" || o.list):
			return command.Usage("--split goes with a data set that is downloaded")
		case o.list && o.named() == 0:
			return listDatasets(a.stdout)
		case o.list:
			return o.listFiles(ctx, a.stdout)
		}
		return a.download(ctx, o)
	})
	f := c.Flags()
	f.StringVar(&o.dataset, "dataset", "", "`name` of a data set of The Well, see --list")
	f.StringSliceVar(&o.splits, "split", nil, "`splits` of the data set, such as test or train,valid (all if empty)")
	f.BoolVar(&o.weights, "weights", false, "the released weights and their configuration (5 GB)")
	f.StringVar(&o.peer, "peer", "", "`name` of a network that Walrus is compared with: "+strings.Join(hub.Peers(), ", "))
	f.BoolVar(&o.list, "list", false, "download nothing: list the paper's data sets on the hub, or with another flag the files")
	f.StringVar(&o.client.Cache, "out", "", "cache `folder` (that of the user if empty)")
	f.StringVar(&o.client.Endpoint, "endpoint", o.client.Endpoint, "`address` of the hub ("+hub.DefaultEndpoint+" if empty)")
	f.BoolVar(&o.client.Offline, "offline", o.client.Offline, "use the cache only")
	f.IntVar(&o.client.Parallel, "parallel", 0, "files at the same time (4 if 0)")
	return c
}

// named returns the number of flags that name something to download.
func (o fetchOptions) named() int {
	n := 0
	for _, given := range []bool{o.dataset != "", o.weights, o.peer != ""} {
		if given {
			n++
		}
	}
	return n
}

// repo returns the repository that the flags name.
func (o fetchOptions) repo() (hub.Repo, error) {
	switch {
	case o.weights:
		return hub.Weights(), nil
	case o.peer != "":
		return hub.Peer(o.peer)
	}
	return hub.Dataset(o.dataset), nil
}

// download fetches files and prints the path.
func (a *app) download(ctx context.Context, o fetchOptions) error {
	repo, err := o.repo()
	if err != nil {
		return err
	}
	m := meter.New(a.stderr, repo.Name, meter.Bytes)
	o.client.Progress = func(p hub.Progress) { m.Set(p.AllDone, p.AllSize) }
	o.client.Log = slog.New(slog.NewTextHandler(m, nil))
	var path string
	switch {
	case o.weights:
		path, err = o.client.Walrus(ctx)
	case o.peer != "":
		path, err = o.client.Peer(ctx, o.peer)
	default:
		path, err = o.client.WellDataset(ctx, o.dataset, o.splits...)
	}
	m.Close()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, path)
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
func (o fetchOptions) listFiles(ctx context.Context, out io.Writer) error {
	repo, err := o.repo()
	if err != nil {
		return err
	}
	files, err := o.client.List(ctx, repo)
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
