package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// ladderOptions are the flags of ladder.
type ladderOptions struct {
	setup           ladder.Setup
	asJSON          bool
	out             string
	times, measured string
	estimate, trial bool
}

// ladder returns the subcommand ladder.
func (a *app) ladder() *cobra.Command {
	o := ladderOptions{setup: ladder.Paper()}
	c := &cobra.Command{
		Use:   "ladder",
		Short: "Simulate or measure the paper's throughput ladder",
		Long: `Shows the gain of each part of the paper's distribution strategy (§4.2, Figure 4) by
simulating training on many devices. With --measure it times training steps of a small
network on this machine, for every shape of the paper's 19 data sets, and writes them to a
file for --times. With --trial it trains on four virtual devices of this machine, rung by
rung, which needs XLA. With --estimate it prints the memory and operations that the
paper's network needs.`,
		Example: `  gowalrus ladder --out out/ladder.png
  gowalrus ladder --devices 1024 --json
  gowalrus ladder --measure times.json`,
	}
	a.command(c, func(ctx context.Context) error {
		o.settle(c.Flags().Changed)
		return a.runLadder(ctx, o)
	})
	f := c.Flags()
	f.IntVar(&o.setup.Devices, "devices", o.setup.Devices, "number of devices")
	f.IntVar(&o.setup.Group, "group", o.setup.Group, "devices of a group, which is also a node with fast links")
	f.IntVar(&o.setup.Micro, "micro", o.setup.Micro, "micro-batches of each device to simulate")
	f.IntVar(&o.setup.Accumulate, "accumulate", o.setup.Accumulate, "micro-batches of an update")
	f.Uint64Var(&o.setup.Seed, "seed", o.setup.Seed, "seed of the draws")
	f.BoolVar(&o.asJSON, "json", false, "print one line of JSON per rung")
	f.StringVar(&o.out, "out", "", "PNG `file` for a bar chart")
	f.StringVar(&o.times, "times", "", "`file` of measured times, whose network is simulated in place of the paper's")
	f.StringVar(&o.measured, "measure", "", "measure on this machine and write the times to this `file`")
	f.BoolVar(&o.estimate, "estimate", false, "print memory and operations of the paper's network")
	f.BoolVar(&o.trial, "trial", false, "train on virtual devices of this machine in place of simulating: 4 in groups of 2, 24 micro-batches each, unless the flags say otherwise")
	return c
}

// settle completes the setup: a trial has the small setup with the numbers of the flags that
// were given.
func (o *ladderOptions) settle(given func(flag string) bool) {
	if !o.trial {
		o.setup.Network.Node = o.setup.Group
		return
	}
	s := ladder.Small()
	for flag, pair := range map[string][2]*int{
		"devices": {&s.Devices, &o.setup.Devices}, "group": {&s.Group, &o.setup.Group}, "micro": {&s.Micro, &o.setup.Micro},
	} {
		if given(flag) {
			*pair[0] = *pair[1]
		}
	}
	s.Accumulate, s.Seed = o.setup.Accumulate, o.setup.Seed
	o.setup = s
}

// runLadder runs the form of the ladder that the flags ask for.
func (a *app) runLadder(ctx context.Context, o ladderOptions) (err error) {
	switch {
	case o.measured != "":
		return a.measure(ctx, o.measured, o.setup.Systems, ladder.TwoBlocks())
	case o.trial:
		return a.trial(ctx, o)
	case o.estimate:
		return distributed.WriteEstimates(a.stdout)
	}
	if o.times != "" {
		t, err := ladder.ReadTimes(o.times)
		if err != nil {
			return err
		}
		if o.setup, err = o.setup.Measured(t); err != nil {
			return err
		}
	}
	results, err := o.setup.Ladder()
	if err != nil {
		return err
	}
	if err := printRungs(a.stdout, results, o.asJSON); err != nil || o.out == "" {
		return err
	}
	return picture.PNG(o.out, chart(results, o.setup))
}

// processor returns the seconds that the processor has worked for this process.
func processor() (float64, error) {
	used, err := machine.Used()
	return used.CPU.Seconds(), err
}

// measure measures the times of a network and adds them to a file.
func (a *app) measure(ctx context.Context, path string, systems []data.Entry, c walrus.Config) error {
	b, err := backend.Default()
	if err != nil {
		return err
	}
	known, err := ladder.ReadTimes(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // a damaged table, or another file, is not replaced
	}
	t, err := ladder.Measurement{Config: c, Systems: systems, Backend: b, Clock: processor,
		Source: fmt.Sprintf("processor seconds, %s, %d cores, %s", b.Name(), runtime.NumCPU(), c.Name),
		Observe: func(e data.Entry, frames, windows int, seconds float64) {
			fmt.Fprintf(a.stderr, "%s %v T=%d B=%d: %.3f s\n", e.Name, e.Grid, frames, windows, seconds)
		}}.Run(ctx, known)
	if err != nil {
		return err
	}
	if rates, off, err := t.Fit(); err != nil {
		fmt.Fprintln(a.stderr, err)
	} else {
		fmt.Fprintf(a.stderr, "dense %.3g, attention %.3g, convolutions %.3g operations per second; %.0f %% off\n",
			rates.Dense, rates.Attention, rates.Convolution, 100*off)
	}
	return t.Save(path)
}

// trial measures a setup's ladder on virtual devices.
func (a *app) trial(ctx context.Context, o ladderOptions) error {
	b, err := backend.VirtualDevices(o.setup.Devices)
	if err != nil {
		return err
	}
	defer b.Finalize()
	measured, err := ladder.Trial{Setup: o.setup, Backend: b, Clock: processor,
		Log: slog.New(slog.NewTextHandler(a.stderr, nil))}.Run(ctx)
	if err != nil {
		return err
	}
	return printTrial(a.stdout, measured, o.asJSON)
}

// printLines prints one line of JSON per value.
func printLines[T any](w io.Writer, values []T) error {
	e := json.NewEncoder(w)
	for _, v := range values {
		if err := e.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// printRungs prints the results as a table or as lines of JSON.
func printRungs(w io.Writer, results []ladder.Result, asJSON bool) error {
	if asJSON {
		return printLines(w, results)
	}
	fmt.Fprintln(w, "| rung | throughput, % | paper's Figure 4 | tokens/s | busy | waiting | transfers |\n|---|---|---|---|---|---|---|")
	for _, r := range results {
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.0f | %.1f %% | %.1f %% | %.1f %% |\n",
			r.Rung, r.Relative, r.Paper, r.Throughput, 100*r.Busy, 100*r.Waiting, 100*r.Communication)
	}
	return nil
}

// printTrial prints the measurements as a table or as lines of JSON.
func printTrial(w io.Writer, measured []ladder.Measured, asJSON bool) error {
	if asJSON {
		return printLines(w, measured)
	}
	fmt.Fprintln(w, "| rung | measured, % | simulated, % | busy | of that for sharding | waiting | updates | run | tokens/s of the run |\n|---|---|---|---|---|---|---|---|---|")
	for _, m := range measured {
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %s | %.0f |\n", m.Rung, m.Relative, m.Simulated.Relative,
			100*m.Busy, 100*m.Sharding, 100*m.Waiting, 100*m.Updating, m.Mesh, m.PerWall)
	}
	return nil
}

// chart draws the results next to the paper's.
func chart(results []ladder.Result, s ladder.Setup) report.Bars {
	b := report.Bars{XLabel: "token throughput, % of naive",
		Title: fmt.Sprintf("Simulated training on %d devices in groups of %d", s.Devices, s.Group)}
	ours, paper := report.Line{Name: "simulated"}, report.Line{Name: "paper, 96 devices"}
	for i, r := range results {
		name := r.Rung
		if i > 0 {
			name = "+ " + name
		}
		b.Names = append(b.Names, name)
		ours.Values, paper.Values = append(ours.Values, r.Relative), append(paper.Values, r.Paper)
	}
	b.Series = []report.Line{ours, paper}
	return b
}
