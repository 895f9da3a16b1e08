package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// forecastOptions are the flags of forecast.
type forecastOptions struct {
	forecastSource
	networkOptions
	out     string
	steps   int
	members int
	asJSON  bool
}

// forecast returns the subcommand forecast.
func (a *app) forecast() *cobra.Command {
	var o forecastOptions
	c := &cobra.Command{
		Use:   "forecast",
		Short: "Forecast from a data set or from your own frames",
		Long: `Forecasts the next frames of a trajectory and writes them as a NumPy file and as an
animation. The frames to start from come from a data set in the layout of The Well (a
folder or a file), from the sound waves that come with the program (--data sample, the
default), or from your own frames in a NumPy file (--window).

If the data continue after the start, the true frames are written as well, and the error
of every step is printed beside those of persistence (the last frame repeated) and linear
extrapolation: the VRMSE, 0 is perfect and 1 is as good as the mean of the truth.

If --out ends in .hdf5, .nc (NetCDF), .zarr, .vti (ParaView), .npz or .gif, the forecast
alone is written, to this file, with grid, times and provenance. Frames go to the file as
they come, so that a long forecast needs little memory; only .gif keeps them. --members
adds an axis of ensemble members.

A window file has the array frames of shape [T, C, X], [T, C, X, Y] or [T, C, X, Y, Z],
in physical units, and the array constants [C, X, …] if there are constant fields. Files
that this program wrote describe their fields and boundaries; for other files give
--fields and --boundary.`,
		Example: `  gowalrus forecast
  gowalrus forecast --data testdata/data/shear_flow --steps 10 --out out/shear
  gowalrus forecast --window frames.npz --fields pressure,velocity:vector --boundary periodic,wall
  gowalrus forecast --window out/shear/forecast.npz --out out/continued
  gowalrus forecast --data testdata/data/shear_flow --steps 100 --members 8 --out shear.nc`,
	}
	a.command(c, func(ctx context.Context) error {
		if err := o.check(c.Flags().Changed); err != nil {
			return err
		}
		return a.runForecast(ctx, o)
	})
	f := c.Flags()
	o.networkOptions.add(c)
	o.forecastSource.add(c)
	f.IntVar(&o.steps, "steps", 20, "frames to forecast")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the jitter: the same seed gives the same forecast")
	f.StringVar(&o.out, "out", filepath.Join("out", "forecast"), "`folder` for "+forecastFile+", "+truthFile+", "+animationFile+" and "+errorsFile+", or a file for the forecast alone: "+strings.Join(forecastEndings(), ", "))
	f.IntVar(&o.members, "members", 0, "with a file: members of an ensemble (if 0: one forecast, without an axis of members)")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return c
}

// Names of the files of a forecast.
const (
	forecastFile  = "forecast.npz"
	truthFile     = "truth.npz"
	animationFile = "forecast.gif"
	errorsFile    = "errors.png"
)

// mostSteps is the largest number of steps.
const mostSteps = 1_000_000

// check returns an error for flags that do not fit together.
func (o *forecastOptions) check(given func(flag string) bool) error {
	if o.steps < 1 || o.steps > mostSteps {
		return command.Usage("--steps: expected 1 to %d, got %d", mostSteps, o.steps)
	}
	if o.members < 0 || o.members > 0 && (!o.toFile() || o.ending() == gifEnding) {
		return command.Usage("--members: expected a number of 1 or more together with --out FILE in a format but %s, got %d and --out %s", gifEnding, o.members, o.out)
	}
	return o.forecastSource.check(given)
}

// prediction is a forecast with its truth.
type prediction struct {
	// seen is the history, followed by the frames of truth that are known.
	seen    *data.Window
	history int
	frames  [][]float32
	steps   int
	// errors is nil without truth.
	errors  *eval.HorizonResult
	seconds float64
}

// runForecast forecasts, prints the errors and writes the files.
func (a *app) runForecast(ctx context.Context, o forecastOptions) error {
	f, err := o.networkOptions.open()
	if err != nil {
		return err
	}
	defer f.Close()
	truth := o.steps
	if o.toFile() {
		truth = 0
	}
	w, history, err := o.forecastSource.open(ctx, f, truth)
	if err != nil {
		return err
	}
	p := &prediction{seen: w, history: history, steps: o.steps}
	if o.toFile() && o.ending() != gifEnding {
		files, err := a.stream(ctx, f, p, o)
		if err != nil {
			return err
		}
		return p.print(a.stdout, o, files)
	}
	if err := a.predict(ctx, f, p); err != nil {
		return err
	}
	var files []string
	if o.toFile() {
		files, err = []string{o.out}, animate(o.out, nil, p.result())
	} else {
		files, err = p.write(o.out)
	}
	if err != nil {
		return err
	}
	return p.print(a.stdout, o, files)
}

// known returns the history, and prints what the weights were not trained for.
func (a *app) known(f walrus.Forecaster, p *prediction) (*data.Window, error) {
	known, err := p.seen.Slice(0, p.history)
	if err != nil {
		return nil, err
	}
	advice, err := advise(f, known)
	for _, x := range advice {
		fmt.Fprintf(a.stderr, "note: %s\n", x.Text)
	}
	return known, err
}

// predict makes the forecast and scores it.
func (a *app) predict(ctx context.Context, f walrus.Forecaster, p *prediction) error {
	known, err := a.known(f, p)
	if err != nil {
		return err
	}
	steps := p.steps
	m := meter.New(a.stderr, "forecast", "frames")
	defer m.Close()
	m.SetInt(0, steps)
	begin := time.Now()
	for frame, err := range f.Rollout(ctx, known, steps) {
		if err != nil {
			return err
		}
		p.frames = append(p.frames, frame.Values)
		m.SetInt(frame.Step, steps)
	}
	p.seconds = time.Since(begin).Seconds()
	if len(p.seen.Frames) == p.history || p.history < 2 {
		return nil
	}
	forecasters := eval.Baselines()
	forecasters["model"] = func(_ context.Context, _ *data.Window, steps int) ([][]float32, error) { return p.frames[:steps], nil }
	r, _, err := eval.EvaluateWindow(ctx, p.seen, forecasters, p.history)
	if err == nil {
		p.errors = &r.Horizons[0]
	}
	return err
}

// result returns the forecast as a window.
func (p *prediction) result() *data.Window {
	w := *p.seen
	w.Name = "forecast of " + w.Name
	w.Frames, w.Scalars, w.Times = p.frames, nil, p.times()
	return &w
}

// times returns the time of every frame of the forecast, nil if those of the history are not
// known.
func (p *prediction) times() []float32 {
	t := p.seen.Times
	if len(t) < p.history || p.history < 2 {
		return nil
	}
	last, step := t[p.history-1], t[p.history-1]-t[p.history-2]
	out := make([]float32, p.steps)
	for i := range out {
		out[i] = last + float32(i+1)*step
	}
	return out
}

// write writes the files and returns their paths.
func (p *prediction) write(dir string) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	add := func(name string, write func(path string) error) {
		if err == nil {
			path := filepath.Join(dir, name)
			files, err = append(files, path), write(path)
		}
	}
	forecast := p.result()
	add(forecastFile, func(path string) error { return npz.Write(path, forecast) })
	var truth *data.Window
	if p.history < len(p.seen.Frames) {
		if truth, err = p.seen.Slice(p.history, len(p.seen.Frames)); err != nil {
			return nil, err
		}
		add(truthFile, func(path string) error { return npz.Write(path, truth) })
	}
	if len(p.seen.Grid) > 1 {
		add(animationFile, func(path string) error { return animate(path, truth, forecast) })
	}
	if p.errors == nil || err != nil {
		return files, err
	}
	chart, err := report.Curves(p.errors, forecastColumns)
	if err == nil && len(chart.Lines) > 0 {
		add(errorsFile, func(path string) error { return picture.PNG(path, chart) })
	}
	return files, err
}

// animate draws the forecast next to the truth, for the frames of which the truth is known.
// Without truth it draws the forecast alone.
func animate(path string, truth, forecast *data.Window) error {
	var panels []picture.Panel
	var err error
	if truth == nil {
		panels, err = picture.Frames(forecast, picture.Options{Title: forecast.Name})
	} else {
		panels, err = picture.Compare(truth, forecast.Frames[:len(truth.Frames)], picture.Options{Title: truth.Name})
	}
	if err != nil {
		return err
	}
	return picture.GIF(path, panels, 200*time.Millisecond)
}
