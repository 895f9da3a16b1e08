package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// evaluateOptions are the flags of evaluate.
type evaluateOptions struct {
	networkOptions
	scoreOptions
	report  string
	long    bool
	members int
	noise   float64
}

// scoreOptions are the flags of evaluate and compare that say what is scored.
type scoreOptions struct {
	data, drop []string
	split      string
	protocol   eval.Protocol
	asJSON     bool
}

// add adds the flags. history says what history 0 means.
func (o *scoreOptions) add(c *cobra.Command, history string) {
	f := c.Flags()
	f.StringArrayVar(&o.data, "data", nil, "`folder`, file or address (hf://datasets/OWNER/NAME, https://...) of a data set; may be repeated")
	f.StringVar(&o.split, "split", "test", "`split` to forecast: train, valid or test")
	f.StringSliceVar(&o.drop, "drop", nil, dropUsage)
	f.IntVar(&o.protocol.Input, "history", 0, "frames of history ("+history+")")
	f.IntVar(&o.protocol.Windows, "windows", 0, "windows to forecast per data set and horizon (32 if 0)")
	f.Func("horizons", "`steps` to score, such as 1,1:20,21:60 (the default)", func(s string) (err error) {
		o.protocol.Horizons, err = eval.ParseHorizons(s)
		return err
	})
	f.BoolVar(&o.asJSON, "json", false, "print one line of JSON per data set")
	complete(c, "split", []string{"train", "valid", "test"})
}

// evaluate returns the subcommand evaluate.
func (a *app) evaluate() *cobra.Command {
	var o evaluateOptions
	c := a.command(&cobra.Command{
		Use:   "evaluate",
		Short: "Score forecasts of data sets beside simple baselines",
		Long: `Forecasts windows of data sets and prints the error of the network over the horizons of
the paper, beside those of persistence (the last frame repeated) and linear extrapolation.
The error is the VRMSE, the median over windows: 0 is perfect, 1 is as good as the mean of
the truth. With --json it prints one line per data set; --report writes a page with curves
and pictures.`,
		Example: `  gowalrus evaluate --weights nano --data testdata/data/shear_flow --split test
  gowalrus evaluate --weights runs/shear/best --data A --data B --json
  gowalrus evaluate --data testdata/data/shear_flow --horizons 1,1:5 --windows 4 --report report
  gowalrus evaluate --data testdata/data/shear_flow --members 16 --noise 0.02`,
	}, func(ctx context.Context) error { return a.runEvaluate(ctx, o) })
	f := c.Flags()
	o.networkOptions.add(c)
	o.scoreOptions.add(c, "if 0: those that the network expects, for Walrus 6, in 3D 3")
	f.BoolVar(&o.long, "long", false, "also measure long-term behaviour: spectra, drift of means, time to decorrelation and blow-up (with --json or --report)")
	f.IntVar(&o.members, "members", 0, "also score an ensemble of this many members, which differ in their draws of jitter and rolls")
	f.Float64Var(&o.noise, "noise", 0, "perturb the history of every member by noise of the fields' spectra, relative to their standard deviation, such as 0.02")
	f.StringVar(&o.report, "report", "", "`folder` for report.md, report.json, report.html and an animation of each data set")
	return c
}

// runEvaluate scores all data sets.
func (a *app) runEvaluate(ctx context.Context, o evaluateOptions) error {
	if len(o.data) == 0 {
		return command.Usage("expected --data FOLDER, once or more")
	}
	if o.long {
		o.protocol.Long = &eval.Long{}
	}
	if o.statistics != "" && len(o.data) > 1 {
		return command.Usage("--statistics: expected one data set, got %d", len(o.data))
	}
	f, err := o.open()
	if err != nil {
		return err
	}
	defer f.Close()
	var results []*eval.Result
	for _, path := range o.data {
		r, err := a.score(ctx, f, path, o)
		if err != nil {
			return err
		}
		results = append(results, r)
		if o.asJSON {
			err = json.NewEncoder(a.stdout).Encode(r)
		} else {
			err = printResult(a.stdout, r)
		}
		if err != nil {
			return err
		}
	}
	if o.report == "" {
		return nil
	}
	return a.report(ctx, f, results, o)
}

// openData opens a data set without the fields to drop. The function closes it. Errors name
// the path.
func openData(path, split string, drop []string) (data.Dataset, func() error, error) {
	ds, err := well.Open(path, well.Options{Split: split})
	if err != nil {
		return nil, nil, err
	}
	left, err := data.Drop(ds, drop...)
	if err != nil {
		ds.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return left, ds.Close, nil
}

// score scores one data set.
func (a *app) score(ctx context.Context, f walrus.Forecaster, path string, o evaluateOptions) (*eval.Result, error) {
	ds, done, err := openData(path, o.split, o.drop)
	if err != nil {
		return nil, err
	}
	defer done()
	forecasters := eval.Baselines()
	forecasters["model"] = eval.Model(f)
	o.protocol.Input = o.input(f, ds)
	m := meter.New(a.stderr, ds.Metadata().Name, "frames")
	defer m.Close()
	o.protocol.Progress = m.SetInt
	if o.members > 0 {
		if _, ok := f.(*walrus.Emulator); !ok && o.noise == 0 {
			return nil, command.Usage("--members: expected --noise above 0 with weights other than those of a Walrus network, which have no random draws")
		}
		ensemble := walrus.EnsembleOptions{Members: o.members, Perturbation: perturb.Shaped(o.noise)}
		o.protocol.Ensembles = map[string]eval.EnsembleForecast{"ensemble": eval.Members(f, ensemble)}
	}
	r, err := eval.Evaluate(ctx, ds, forecasters, o.protocol)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// input returns the number of frames of history: the given one, or that of the network, but
// at least the two of linear extrapolation.
func (o evaluateOptions) input(f walrus.Forecaster, ds data.Dataset) int {
	if o.protocol.Input != 0 {
		return o.protocol.Input
	}
	return max(f.History(len(ds.Metadata().Grid)), 2)
}

// drawn is the number of steps of the forecasts in the pictures of a report.
const drawn = 20

// report writes the report of all data sets.
func (a *app) report(ctx context.Context, f walrus.Forecaster, results []*eval.Result, o evaluateOptions) error {
	m := meter.New(a.stderr, "report", "data sets")
	defer m.Close()
	var entries []report.Entry
	for i, r := range results {
		m.SetInt(i, len(results))
		ds, done, err := openData(o.data[i], o.split, o.drop)
		if err != nil {
			return err
		}
		sample, err := report.NewSample(ctx, ds, eval.Model(f), o.input(f, ds), drawn)
		if err := errors.Join(err, done()); err != nil {
			return err
		}
		entries = append(entries, report.Entry{Result: r, Sample: sample})
	}
	return report.Write(o.report, "Forecasts of "+o.weights, []string{"model", "persistence", "linear"}, entries)
}

// printResult prints a result as a table.
func printResult(w io.Writer, r *eval.Result) error {
	fmt.Fprintf(w, "%s: VRMSE, median over places\n", r.Dataset)
	fmt.Fprintf(w, "%8s %8s %12s %8s %8s\n", "steps", "model", "persistence", "linear", "places")
	for _, h := range r.Horizons {
		note := ""
		if h.To < h.Horizon.To {
			note = fmt.Sprintf(" (up to step %d, the longest trajectory's last)", h.To)
		}
		fmt.Fprintf(w, "%8v %8.3f %12.3f %8.3f %8d%s\n", h.Horizon, h.Scores["model"].Median,
			h.Scores["persistence"].Median, h.Scores["linear"].Median, h.Windows, note)
		if e, ok := h.Ensembles["ensemble"]; ok {
			fmt.Fprintf(w, "%8s ensemble: VRMSE of the mean %.3f, CRPS %.3f, spread/skill %.2f, coverage of 90 %% intervals %.1f %%\n",
				"", h.Scores["ensemble"].Median, e.All.CRPS, e.All.SpreadSkill, 100*e.All.Coverage)
		}
		for _, name := range slices.Sorted(maps.Keys(h.Diverged)) {
			d := h.Diverged[name]
			fmt.Fprintf(w, "%8s %s diverged in %d of %d places, first at step %d\n", "", name, d.Windows, h.Windows, d.FirstStep)
		}
	}
	for _, h := range r.Skipped {
		fmt.Fprintf(w, "%8v beyond the end of all trajectories\n", h)
	}
	if len(r.Constant) > 0 {
		fmt.Fprintf(w, "not scored, as they do not vary over space: %s\n", strings.Join(slices.Sorted(slices.Values(r.Constant)), ", "))
	}
	_, err := fmt.Fprintln(w)
	return err
}
