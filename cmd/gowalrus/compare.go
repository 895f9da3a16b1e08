package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// compareOptions are the flags of compare.
type compareOptions struct {
	scoreOptions
	network networkOptions
	weights []string
}

// contender is a network of a comparison.
type contender struct {
	name       string
	forecaster walrus.Forecaster
}

// compare returns the subcommand compare.
func (a *app) compare() *cobra.Command {
	var o compareOptions
	c := a.command(&cobra.Command{
		Use:   "compare",
		Short: "Score several networks on data sets, in the table of the paper",
		Long: `Forecasts the same windows of every data set with several networks and prints the
median VRMSE of each over the horizons, as in Table 1 of the paper, beside persistence and
linear extrapolation. The smallest error of a line has a star. Networks may be Walrus
checkpoints, shipped weights, and weights of Poseidon, DPOT and MPP. A network that cannot
continue a data set has a dash, and a note says why. All networks get the same windows, with
the longest history that one of them expects.`,
		Example: `  gowalrus compare --weights nano --weights fine=runs/fine/best --data testdata/data/shear_flow
  gowalrus compare --weights nano --weights model_Ti.pth --data A --data B --horizons 1,1:20`,
	}, func(ctx context.Context) error { return a.runCompare(ctx, o) })
	f := c.Flags()
	f.StringArrayVar(&o.weights, "weights", nil, "`network`, twice or more: "+weightsUsage+"; NAME=PATH names its column")
	o.scoreOptions.add(c, "if 0: the most that one of the networks expects")
	o.network.addPeers(c)
	f.BoolVar(&o.network.auto, "auto", false, autoUsage)
	return c
}

// runCompare scores all networks on all data sets.
func (a *app) runCompare(ctx context.Context, o compareOptions) error {
	if len(o.data) == 0 || len(o.weights) < 2 {
		return command.Usage("expected --weights NETWORK twice or more and --data FOLDER, got %d networks and %d data sets", len(o.weights), len(o.data))
	}
	list, err := o.open()
	defer func() {
		for _, c := range list {
			c.forecaster.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, path := range o.data {
		r, notes, err := a.contest(ctx, list, path, o)
		if err != nil {
			return err
		}
		if o.asJSON {
			err = json.NewEncoder(a.stdout).Encode(r)
		} else {
			err = printComparison(a.stdout, list, r)
		}
		if err != nil {
			return err
		}
		for _, note := range notes {
			fmt.Fprintf(a.stderr, "note: %s\n", note)
		}
	}
	return nil
}

// open opens the networks. With an error it returns those that are open.
func (o compareOptions) open() (list []contender, err error) {
	for _, w := range o.weights {
		n := o.network
		name, path, named := strings.Cut(w, "=")
		if n.weights = path; !named {
			name, n.weights = strings.TrimSuffix(filepath.Base(filepath.Clean(w)), filepath.Ext(w)), w
		}
		for _, c := range list {
			if c.name == name {
				return list, command.Usage("--weights: two networks have the name %s: name them with NAME=PATH", name)
			}
		}
		if _, baseline := eval.Baselines()[name]; baseline || name == "" {
			return list, command.Usage("--weights: expected a name other than that of a baseline, got %q", name)
		}
		f, err := n.openAny()
		if err != nil {
			return list, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, contender{name, f})
	}
	return list, nil
}

// contest scores the networks on a data set. The notes say which of them cannot continue it.
func (a *app) contest(ctx context.Context, list []contender, path string, o compareOptions) (all *eval.Result, notes []string, err error) {
	ds, done, err := openData(path, o.split, o.drop)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if o.protocol.Input == 0 {
		o.protocol.Input = 2
		for _, c := range list {
			o.protocol.Input = max(o.protocol.Input, c.forecaster.History(len(ds.Metadata().Grid)))
		}
	}
	forecasters := eval.Baselines()
	for _, c := range list {
		if err := try(ctx, c, ds, o.protocol.Input); err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", c.name, err))
			continue
		}
		forecasters[c.name] = eval.Model(c.forecaster)
	}
	m := meter.New(a.stderr, ds.Metadata().Name, "frames")
	defer m.Close()
	o.protocol.Progress = m.SetInt
	if all, err = eval.Evaluate(ctx, ds, forecasters, o.protocol); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, notes, nil
}

// try returns the error of one step from the first window of a data set, but none if the
// forecast diverges.
func try(ctx context.Context, c contender, ds data.Dataset, history int) error {
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: history}, nil)
	if err != nil {
		return err
	}
	for _, err := range c.forecaster.Rollout(ctx, w, 1) {
		if err != nil && !errors.Is(err, walrus.ErrDiverged) {
			return err
		}
	}
	return nil
}

// printComparison prints a result as a table with one column per network.
func printComparison(w io.Writer, list []contender, r *eval.Result) error {
	var names []string
	for _, c := range list {
		names = append(names, c.name)
	}
	names = append(names, "persistence", "linear")
	fmt.Fprintf(w, "%s: VRMSE, median over places\n%8s", r.Dataset, "steps")
	for _, name := range names {
		fmt.Fprintf(w, " %*s", max(len(name), 8), name)
	}
	fmt.Fprintln(w, "   places")
	for _, h := range r.Horizons {
		best := math.Inf(1)
		for _, s := range h.Scores {
			best = min(best, s.Median)
		}
		fmt.Fprintf(w, "%8v", h.Horizon)
		for _, name := range names {
			text := "–"
			if s, ok := h.Scores[name]; ok {
				if text = fmt.Sprintf("%.3f", s.Median); s.Median == best {
					text = "*" + text
				}
			}
			fmt.Fprintf(w, " %*s", max(len(name), 8), text)
		}
		fmt.Fprintf(w, " %8d\n", h.Windows)
	}
	for _, h := range r.Skipped {
		fmt.Fprintf(w, "%8v beyond the end of all trajectories\n", h)
	}
	_, err := fmt.Fprintln(w)
	return err
}
