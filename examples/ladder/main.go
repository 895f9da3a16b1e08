// Command ladder shows the gain of each part of the paper's distribution strategy
// (§4.2, Figure 4), by simulating training on many devices (package
// distributed/ladder):
//
//	go run ./examples/ladder -out out/ladder.png
//	go run ./examples/ladder -devices 1024 -json
//
// With -measure it times training steps of a small network on this machine, for every
// shape of the paper's 19 data sets, and writes them to a file for -times. With -trial
// it trains on four virtual devices of this machine, rung by rung. With -estimate it
// prints the memory and operations that the paper's network needs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// options are the command's flags.
type options struct {
	setup    ladder.Setup
	asJSON   bool
	out      string
	times    string
	measure  string
	estimate bool
	trial    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if status := command.Status("ladder", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

func parse(args []string, stdout io.Writer) (options, error) {
	o := options{setup: ladder.Paper()}
	f := flag.NewFlagSet("ladder", flag.ContinueOnError)
	f.IntVar(&o.setup.Devices, "devices", o.setup.Devices, "devices")
	f.IntVar(&o.setup.Group, "group", o.setup.Group, "devices of a group, which is also a node with fast links")
	f.IntVar(&o.setup.Micro, "micro", o.setup.Micro, "micro-batches of each device to simulate")
	f.IntVar(&o.setup.Accumulate, "accumulate", o.setup.Accumulate, "micro-batches of an update")
	f.Uint64Var(&o.setup.Seed, "seed", o.setup.Seed, "seed of the draws")
	f.BoolVar(&o.asJSON, "json", false, "print one line of JSON per rung")
	f.StringVar(&o.out, "out", "", "PNG file for a bar chart")
	f.StringVar(&o.times, "times", "", "file of measured times, whose network is simulated in place of the paper's")
	f.StringVar(&o.measure, "measure", "", "measure on this machine and write the times to this file")
	f.BoolVar(&o.estimate, "estimate", false, "print memory and operations of the paper's network")
	f.BoolVar(&o.trial, "trial", false, "train on virtual devices of this machine in place of simulating: 4 in groups of 2, 24 micro-batches each, unless the flags say otherwise")
	if err := command.Parse(f, args, stdout); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, command.Usage("expected flags only, got %q", f.Args())
	}
	if o.trial {
		o.setup = given(f, o.setup)
		return o, nil
	}
	o.setup.Network.Node = o.setup.Group
	return o, nil
}

// given returns the setup of a trial with the numbers that flags set.
func given(f *flag.FlagSet, s ladder.Setup) ladder.Setup {
	t := small()
	f.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "devices":
			t.Devices = s.Devices
		case "group":
			t.Group = s.Group
		case "micro":
			t.Micro = s.Micro
		}
	})
	t.Accumulate, t.Seed = s.Accumulate, s.Seed
	return t
}

// run runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	switch {
	case o.measure != "":
		return measure(o.measure, o.setup.Systems, network(), stderr)
	case o.trial:
		return trial(ctx, o.setup, o.asJSON, stdout, stderr)
	case o.estimate:
		return distributed.WriteEstimates(stdout)
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
	if err := show(stdout, results, o.asJSON); err != nil {
		return err
	}
	if o.out == "" {
		return nil
	}
	return picture.PNG(o.out, chart(results, o.setup))
}

// show prints the results as a table or as lines of JSON.
func show(w io.Writer, results []ladder.Result, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		for _, r := range results {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintln(w, "| rung | throughput, % | paper's Figure 4 | tokens/s | busy | waiting | transfers |\n|---|---|---|---|---|---|---|")
	for _, r := range results {
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.0f | %.1f %% | %.1f %% | %.1f %% |\n",
			r.Rung, r.Relative, r.Paper, r.Throughput, 100*r.Busy, 100*r.Waiting, 100*r.Communication)
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
