package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/peers"
)

// compareOptions are the flags of compare.
type compareOptions struct {
	scoreOptions
	network  networkOptions
	weights  []string
	markdown bool
	// budget is the number of updates for which each network is finetuned first, into out.
	budget int
	out    string
}

// contender is a network of a comparison.
type contender struct {
	name       string
	forecaster walrus.Forecaster
	cost       cost
}

// cost is what the forecasts of a network take.
type cost struct {
	Parameters int64 `json:"parameters"`
	// Bytes is the memory of the weights.
	Bytes int64 `json:"weight_bytes"`
	// Seconds is the time of a frame, without compilation; 0 if the network has no forecast.
	Seconds float64 `json:"seconds_per_frame,omitempty"`
	// Peak is the memory of a forecast: by how many bytes the process grew at most while the
	// network forecast, compilation included. It is 0 where the system does not report it.
	Peak int64 `json:"peak_bytes,omitempty"`
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
the longest history that one of them expects. The last lines are the parameters, the memory of
the weights, the time of a frame, and the peak memory of a forecast: by how much the program
grew at most while the network forecast, compilation included, on top of the weights of all
networks. On XLA it is a lower bound for all networks but the first, which leaves memory to
the next ones. Only Linux reports it.

With --budget every network is first finetuned on the data set for that number of updates, on
the same windows, as gowalrus finetune does; fno and unet are trained from scratch. The same
command resumes an interrupted training.`,
		Example: `  gowalrus compare --weights nano --weights fine=runs/fine/best --data testdata/data/shear_flow
  gowalrus compare --weights nano --weights model_Ti.pth --data A --data B --horizons 1,1:20
  gowalrus compare --weights nano --weights fno --weights unet --data mine --budget 1000 --out runs/compare`,
	}, func(ctx context.Context) error { return a.runCompare(ctx, o) })
	f := c.Flags()
	f.StringArrayVar(&o.weights, "weights", nil, "`network`, twice or more: "+weightsUsage+"; NAME=PATH names its column")
	o.scoreOptions.add(c, "if 0: the most that one of the networks expects")
	o.network.addPeers(c)
	f.BoolVar(&o.network.auto, "auto", false, autoUsage)
	f.IntVar(&o.budget, "budget", 0, "finetune every network for this number of `updates` first, none if 0")
	f.StringVar(&o.out, "out", "runs/compare", "`folder` of the runs of --budget: one for each data set and network")
	f.BoolVar(&o.markdown, "markdown", false, "print the tables in Markdown")
	return c
}

// runCompare scores all networks on all data sets.
func (a *app) runCompare(ctx context.Context, o compareOptions) error {
	if len(o.data) == 0 || len(o.weights) < 2 {
		return command.Usage("expected --weights NETWORK twice or more and --data FOLDER, got %d networks and %d data sets", len(o.weights), len(o.data))
	}
	if o.budget < 0 || o.asJSON && o.markdown {
		return command.Usage("expected --budget of 0 or more, and --json or --markdown")
	}
	entries, err := o.entries()
	if err != nil {
		return err
	}
	var list []contender
	defer func() { closeAll(list) }()
	for _, path := range o.data {
		if list == nil || o.budget > 0 {
			closeAll(list)
			if list, err = a.contenders(ctx, entries, path, o); err != nil {
				return err
			}
		}
		r, notes, err := a.contest(ctx, list, path, o)
		if err != nil {
			return err
		}
		switch {
		case o.asJSON:
			err = encodeComparison(a.stdout, list, r)
		case o.markdown:
			err = markdownComparison(a.stdout, list, r)
		default:
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

// entry is a network of the command line.
type entry struct{ name, weights string }

// entries reads the flags --weights.
func (o compareOptions) entries() (list []entry, err error) {
	for _, w := range o.weights {
		name, path, named := strings.Cut(w, "=")
		if !named {
			name, path = strings.TrimSuffix(filepath.Base(filepath.Clean(w)), filepath.Ext(w)), w
		}
		for _, e := range list {
			if e.name == name {
				return nil, command.Usage("--weights: two networks have the name %s: name them with NAME=PATH", name)
			}
		}
		if _, baseline := eval.Baselines()[name]; baseline || name == "" {
			return nil, command.Usage("--weights: expected a name other than that of a baseline, got %q", name)
		}
		if _, fresh := peers.Fresh(path); fresh && o.budget == 0 {
			return nil, command.Usage("--weights %s: expected --budget with a network that has no weights", path)
		}
		list = append(list, entry{name, path})
	}
	return list, nil
}

// contenders opens the networks, after their training on the data set if there is a budget. With
// an error it returns those that are open.
func (a *app) contenders(ctx context.Context, entries []entry, path string, o compareOptions) (list []contender, err error) {
	if o.budget > 0 {
		if entries, err = a.trained(ctx, entries, path, o); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		n := o.network
		n.weights = e.weights
		f, err := n.openAny()
		if err != nil {
			return list, fmt.Errorf("%s: %w", e.name, err)
		}
		list = append(list, contender{name: e.name, forecaster: f, cost: cost{Parameters: parameters(f), Bytes: 4 * parameters(f)}})
	}
	return list, nil
}

// parameters returns the number of parameters of a network.
func parameters(f walrus.Forecaster) int64 {
	switch f := f.(type) {
	case *peers.Network:
		return f.Parameters
	case *walrus.Emulator:
		if n, err := f.Model().Config().Count(); err == nil {
			return n.Parameters
		}
	}
	return 0
}

func closeAll(list []contender) {
	for _, c := range list {
		c.forecaster.Close()
	}
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
	for i, c := range list {
		tried, err := try(ctx, c, ds, o.protocol.Input)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", c.name, err))
			continue
		}
		if list[i].cost.Seconds = tried.Seconds; c.cost.Peak == 0 { // compiled programs are kept for further data sets
			list[i].cost.Peak = tried.Peak
		}
		forecasters[c.name] = eval.Model(c.forecaster)
	}
	if err := machine.ResetPeak(); err != nil {
		notes = append(notes, fmt.Sprintf("no peak memory: %v", err))
	}
	m := meter.New(a.stderr, ds.Metadata().Name, "frames")
	defer m.Close()
	o.protocol.Progress = m.SetInt
	if all, err = eval.Evaluate(ctx, ds, forecasters, o.protocol); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, notes, nil
}

// timedFrames is the number of frames whose time is measured.
const timedFrames = 3

// try forecasts from the first window of a data set and returns the time of a frame, which is
// that of a second rollout, and the memory of both. A forecast that diverges is no error.
func try(ctx context.Context, c contender, ds data.Dataset, history int) (out cost, err error) {
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: history}, nil)
	if err != nil {
		return out, err
	}
	before := emptied()
	for range 2 {
		start := time.Now()
		for _, err := range c.forecaster.Rollout(ctx, w, timedFrames) {
			if err != nil && !errors.Is(err, walrus.ErrDiverged) {
				return out, err
			}
		}
		out.Seconds = time.Since(start).Seconds() / timedFrames
	}
	if _, peak, err := machine.Resident(); err == nil && before > 0 {
		out.Peak = peak - before
	}
	return out, nil
}

// emptied frees unused memory and returns the memory of the process, from which its peak counts
// from now on, or 0 if the system does not report a peak.
func emptied() int64 {
	debug.FreeOSMemory()
	now, _, err := machine.Resident()
	if err != nil || machine.ResetPeak() != nil {
		return 0
	}
	return now
}
