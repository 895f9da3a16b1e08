package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// calibrateOptions are the flags of calibrate.
type calibrateOptions struct {
	weights, data, split, out string
	drop, training            []string
	rate                      float64
	auto                      bool
	bound                     float64
	eval                      eval.CalibrateOptions
	hold                      walrus.Precision
}

// calibrate returns the subcommand calibrate.
func (a *app) calibrate() *cobra.Command {
	var o calibrateOptions
	c := a.command(&cobra.Command{
		Use:   "calibrate",
		Short: "Measure the errors of forecasts, for intervals with stated coverage",
		Long: `Forecasts the runs of a data set that the training has not seen and writes how large the
errors are, by field and lead time, to the file ` + walrus.CalibrationFile + ` next to the weights.
Forecasts with these weights then have intervals that contain a stated fraction of the
true values, on average over runs like those of the data set: the same system and time
step, parameters and initial states drawn alike. It also prints the trust horizon, the
steps for which the expected error (VRMSE) stays below a bound. With --bands it also bounds
the error in frequency bands.

With --training it records what the windows of the training looked like, in the file
` + walrus.FamiliarityFile + ` next to the weights: mean and spread from the split train, and from
the split valid the limit beyond which forecasts warn that a window is unlike them. Instead of
folders of data sets it takes the recipe of the training, whose systems it simulates.`,
		Example: `  gowalrus calibrate --weights runs/shear/best --data testdata/data/shear_flow
  gowalrus calibrate --weights nano --data datasets/mine --out out/calibration.json
  gowalrus calibrate --weights runs/mine/best --training mine.yaml`,
	}, func(ctx context.Context) error { return a.runCalibrate(ctx, o) })
	f := c.Flags()
	weightsFlag(c, &o.weights)
	holdFlag(c, &o.hold)
	f.StringVar(&o.data, "data", "", "`folder`, file or address (hf://datasets/OWNER/NAME, https://...) of a data set")
	f.StringArrayVar(&o.training, "training", nil, "`folder` of a data set of the training, or its recipe (*.yaml), for warnings; folders may be repeated")
	f.Float64Var(&o.rate, "rate", 0.01, "rate of false warnings")
	f.StringVar(&o.split, "split", "valid", "`split` to forecast: train, valid or test")
	f.StringSliceVar(&o.drop, "drop", nil, dropUsage)
	f.IntVar(&o.eval.Input, "history", 0, "frames of history (6, in 3D 3, if 0)")
	f.IntVar(&o.eval.Steps, "steps", 0, "steps to calibrate (20 if 0)")
	f.IntVar(&o.eval.Windows, "windows", 0, "windows to forecast at most (128 if 0)")
	f.IntVar(&o.eval.Bands, "bands", 0, "frequency bands in which the error is measured as well (none if 0)")
	f.Float64Var(&o.bound, "bound", 0.5, "largest expected VRMSE up to the trust horizon")
	f.StringVar(&o.out, "out", "", "`file` to write (if empty, next to the weights, which must be a checkpoint)")
	f.BoolVar(&o.auto, "auto", false, autoUsage)
	complete(c, "split", []string{"train", "valid", "test"})
	return c
}

// runCalibrate writes the calibration.
func (a *app) runCalibrate(ctx context.Context, o calibrateOptions) error {
	if o.data == "" && len(o.training) == 0 {
		return command.Usage("expected --data FOLDER, --training FOLDER or --training RECIPE.yaml")
	}
	if !(o.rate > 0 && o.rate < 1) {
		return command.Usage("--rate: expected a rate between 0 and 1, such as 0.01, got %v", o.rate)
	}
	path := o.out
	if path == "" {
		if _, shipped := nano.Find(o.weights); shipped {
			return command.Usage("expected --out FILE, since %s comes with the program and has no folder", o.weights)
		}
		path = o.weights
	}
	if len(o.training) > 0 {
		if err := a.recordFamiliarity(ctx, o, path); err != nil || o.data == "" {
			return err
		}
	}
	em, err := openEmulator(o.weights, o.auto, walrus.EmulatorOptions{Weights: o.hold})
	if err != nil {
		return err
	}
	defer em.Close()
	ds, done, err := openData(o.data, o.split, o.drop)
	if err != nil {
		return err
	}
	defer done()
	m := meter.New(a.stderr, "calibration", "frames")
	defer m.Close()
	o.eval.Progress = m.SetInt
	c, err := eval.Calibrate(ctx, ds, em, o.eval)
	if err != nil {
		return fmt.Errorf("%s: %w", o.data, err)
	}
	if err := c.Save(path); err != nil {
		return err
	}
	return printCalibration(a.stdout, c, o.bound, filepath.Clean(path))
}

// recordFamiliarity writes what the windows of the training looked like next to the weights, or
// next to the file of the calibration.
func (a *app) recordFamiliarity(ctx context.Context, o calibrateOptions, path string) error {
	f, err := a.familiarity(ctx, o)
	if err != nil {
		return err
	}
	if o.out != "" {
		path = filepath.Join(filepath.Dir(o.out), walrus.FamiliarityFile)
	}
	if err := f.Save(path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, walrus.FamiliarityFile)
	}
	_, err = fmt.Fprintf(a.stdout, "%d data sets; windows with a score above %.2f are unlike them, about %.3g %% of %d others\nwrote %s\n",
		len(f.Datasets), f.Limit, 100*f.Rate, f.Windows, filepath.Clean(path))
	return err
}

// familiarity describes the windows of the training: of its recipe, or of folders of data sets.
func (a *app) familiarity(ctx context.Context, o calibrateOptions) (*walrus.Familiarity, error) {
	options := eval.FamiliarityOptions{Input: o.eval.Input, Rate: o.rate}
	for _, path := range o.training {
		if ext := filepath.Ext(path); ext != ".yaml" && ext != ".yml" {
			continue
		}
		if len(o.training) > 1 || o.eval.Input != 0 || len(o.drop) > 0 {
			return nil, command.Usage("expected the recipe %s alone, since it names all data, got also another --training, --history or --drop", path)
		}
		r, err := recipe.Read(path)
		if err != nil {
			return nil, err
		}
		r.Log = slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		return r.Familiarity(ctx, options)
	}
	var train, valid []data.Dataset
	for _, folder := range o.training {
		for split, list := range map[string]*[]data.Dataset{"train": &train, "valid": &valid} {
			ds, done, err := openData(folder, split, o.drop)
			if err != nil {
				return nil, err
			}
			defer done()
			*list = append(*list, ds)
		}
	}
	return eval.RecordFamiliarity(ctx, train, valid, options)
}

// printCalibration prints the size of the calibration, its levels and the trust horizon.
func printCalibration(w io.Writer, c *walrus.Calibration, bound float64, path string) error {
	steps, err := c.TrustHorizon(bound)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d forecasts of %d steps from %d units (%s) of %s\n", c.Windows, c.Steps(), c.Units, c.Unit, c.Dataset)
	if c.Unit == "window" {
		fmt.Fprintln(w, "Note: there are too few trajectories, so windows count as units, which are not independent: the coverage is approximate.")
	}
	fmt.Fprintf(w, "intervals at the levels %v\n", c.Levels)
	if n := len(c.Edges) - 1; n > 0 {
		fmt.Fprintf(w, "bounds of the error in %d frequency bands, from %.3g to %.3g cycles per point\n", n, c.Edges[0], c.Edges[n])
	}
	fmt.Fprintf(w, "trust horizon: the expected VRMSE is at most %g up to step %d\n", bound, steps)
	_, err = fmt.Fprintf(w, "wrote %s\n", path)
	return err
}
