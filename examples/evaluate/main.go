// Command evaluate forecasts a data set with a network and compares its error with
// those of persistence and linear extrapolation:
//
//	go run ./examples/evaluate -weights nano -data testdata/data/shear_flow -split test
//	go run ./examples/evaluate -weights runs/shear/best -data A -data B -json
//
// The error is the VRMSE, the median over windows of the data set. With -json it prints
// one line per data set; -report writes a page with curves and pictures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/perturb"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// options are the command's flags.
type options struct {
	weights  string
	data     []string
	split    string
	asJSON   bool
	auto     bool
	report   string
	drop     []string
	members  int
	noise    float64
	protocol eval.Protocol
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("evaluate", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("evaluate", flag.ContinueOnError)
	f.StringVar(&o.weights, "weights", nano.Name, strings.Join(nano.Names(), ", ")+" for weights that come with the library, or a checkpoint")
	f.Func("data", "folder or file of a Well data set; may be repeated", func(s string) error {
		o.data = append(o.data, s)
		return nil
	})
	f.StringVar(&o.split, "split", "test", "split to forecast: train, valid or test")
	f.BoolVar(&o.asJSON, "json", false, "print one line of JSON per data set")
	f.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	f.StringVar(&o.report, "report", "", "folder for report.md, report.json, report.html and an animation of each data set")
	f.Func("drop", "NAME,NAME: fields of the data sets to leave out, such as constant ones that the weights do not know; may be repeated", func(s string) error {
		o.drop = append(o.drop, strings.Split(s, ",")...)
		return nil
	})
	long := f.Bool("long", false, "also measure long-term behaviour: spectra, drift of means, time to decorrelation and blow-up (in -json and -report)")
	f.IntVar(&o.members, "members", 0, "also score an ensemble of this many members, which differ in their draws of jitter and rolls")
	f.Float64Var(&o.noise, "noise", 0, "perturb the history of every member by noise of the fields' spectra, relative to their standard deviation, such as 0.02")
	f.IntVar(&o.protocol.Input, "history", 0, "frames of history (6, in 3D 3)")
	f.IntVar(&o.protocol.Windows, "windows", 0, "places to forecast per data set and horizon (32)")
	f.Func("horizons", "steps to score, such as 1,1:20,21:60 (the default)", func(s string) (err error) {
		o.protocol.Horizons, err = eval.ParseHorizons(s)
		return err
	})
	if err := command.Parse(f, args, stdout); err != nil {
		return o, err
	}
	if *long {
		o.protocol.Long = &eval.Long{}
	}
	if len(o.data) == 0 || f.NArg() > 0 {
		return o, command.Usage("expected -data FOLDER, once or more, and no other arguments")
	}
	return o, nil
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	em, err := open(o)
	if err != nil {
		return err
	}
	defer em.Close()
	var results []*eval.Result
	for _, path := range o.data {
		r, err := evaluate(ctx, em, path, o, stderr)
		if err != nil {
			return err
		}
		results = append(results, r)
		if o.asJSON {
			err = json.NewEncoder(stdout).Encode(r)
		} else {
			err = table(stdout, r)
		}
		if err != nil {
			return err
		}
	}
	if o.report != "" {
		return write(ctx, em, results, o, stderr)
	}
	return nil
}

// open loads the network.
func open(o options) (*walrus.Emulator, error) {
	b, err := backend.Pick(o.auto)
	if err != nil {
		return nil, err
	}
	em, err := nano.Open(o.weights, walrus.EmulatorOptions{Backend: b})
	if errors.Is(err, os.ErrNotExist) && filepath.Base(filepath.Clean(o.weights)) == train.BestCheckpoint {
		last := filepath.Join(filepath.Dir(filepath.Clean(o.weights)), train.LastCheckpoint)
		if _, missing := os.Stat(last); missing == nil {
			return nil, fmt.Errorf("%w: the run has had no validation yet, its weights so far are in %s", err, last)
		}
	}
	return em, err
}

// evaluate scores one data set.
func evaluate(ctx context.Context, em *walrus.Emulator, path string, o options, stderr io.Writer) (*eval.Result, error) {
	ds, done, err := o.dataset(path)
	if err != nil {
		return nil, err
	}
	defer done()
	forecasters := eval.Baselines()
	forecasters["model"] = eval.Model(em)
	m := meter.New(stderr, ds.Metadata().Name, "frames")
	defer m.Close()
	o.protocol.Progress = m.SetInt
	if o.members > 0 {
		ensemble := walrus.EnsembleOptions{Members: o.members, Perturbation: perturb.Shaped(o.noise)}
		o.protocol.Ensembles = map[string]eval.EnsembleForecast{"ensemble": eval.Members(em, ensemble)}
	}
	r, err := eval.Evaluate(ctx, ds, forecasters, o.protocol)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// dataset opens a data set without the fields to drop. The function closes it. Errors name
// the path.
func (o options) dataset(path string) (data.Dataset, func() error, error) {
	ds, err := well.Open(path, well.Options{Split: o.split})
	if err != nil {
		return nil, nil, err
	}
	left, err := data.Drop(ds, o.drop...)
	if err != nil {
		ds.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return left, ds.Close, nil
}

// table prints a result.
func table(w io.Writer, r *eval.Result) error {
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
