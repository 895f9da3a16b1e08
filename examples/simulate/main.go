// Command simulate makes a data set in the layout of The Well by solving equations:
//
//	go run ./examples/simulate -list
//	go run ./examples/simulate -system gray_scott -out datasets
//	go run ./examples/simulate -system rayleigh_benard -out datasets -trajectories 40 -grid 128x32 -param Rayleigh=1e5
//
// It writes data/train, data/valid and data/test with 80, 10 and 10 percent of the
// trajectories, and stats.yaml. The same seed gives the same files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
)

// options are the command's flags.
type options struct {
	list         bool
	system, out  string
	trajectories int
	frames       int
	interval     float64
	grid         string
	seed         uint64
	params       params
}

// params collects -param NAME=VALUE.
type params map[string]float64

func (p params) String() string { return "" }

func (p params) Set(s string) error {
	name, text, ok := strings.Cut(s, "=")
	v, err := strconv.ParseFloat(text, 64)
	if !ok || name == "" || err != nil {
		return fmt.Errorf("expected NAME=NUMBER, got %q", s)
	}
	p[name] = v
	return nil
}

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("simulate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o.params = params{}
	f.BoolVar(&o.list, "list", false, "list the systems with their equations and parameters")
	f.StringVar(&o.system, "system", "", "name of the system, see -list")
	f.StringVar(&o.out, "out", "", "folder that gets the folder of the data set")
	f.IntVar(&o.trajectories, "trajectories", 10, "number of simulations: 80 % for training, at least one each for validation and test")
	f.IntVar(&o.frames, "steps", 0, "frames of each (the system's own number if 0)")
	f.Float64Var(&o.interval, "interval", 0, "time between two frames (the system's default if 0)")
	f.StringVar(&o.grid, "grid", "", "points along each axis, such as 64x64 (the system's default if empty)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of parameters and initial conditions")
	f.Var(o.params, "param", "NAME=NUMBER: a parameter that is given instead of drawn; may be repeated")
	return f
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if status := command.Status("simulate", run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr); status != 0 {
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
	}
	if o.list {
		return list(stdout)
	}
	so, err := o.solve()
	if err != nil {
		return fmt.Errorf("%w: %w", command.ErrUsage, err)
	}
	m := meter.New(stderr, o.system, "frames")
	so.Progress = m.SetInt
	dir, err := solve.Simulate(ctx, so)
	m.Close()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d trajectories for training, %d for validation, %d for test\n", dir, so.Train, so.Valid, so.Test)
	return err
}

// solve converts the flags to options of package solve.
func (o options) solve() (solve.Options, error) {
	if o.system == "" {
		return solve.Options{}, errors.New("-system: expected the name of a system, got none; -list shows them")
	}
	s, err := solve.Lookup(o.system)
	if err != nil {
		return solve.Options{}, fmt.Errorf("-system: %w", err)
	}
	if o.out == "" {
		return solve.Options{}, errors.New("-out: expected a folder")
	}
	if o.trajectories < 3 {
		return solve.Options{}, fmt.Errorf("-trajectories: expected at least 3, one for each split, got %d", o.trajectories)
	}
	part := max(o.trajectories/10, 1)
	so := solve.Options{System: s, Out: o.out, Train: o.trajectories - 2*part, Valid: part, Test: part,
		Frames: o.frames, Interval: o.interval, Fixed: o.params, Seed: o.seed}
	if o.grid == "" {
		return so, nil
	}
	for _, word := range strings.Split(o.grid, "x") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return so, fmt.Errorf("-grid: expected points per axis such as 64x64, got %q", o.grid)
		}
		so.Grid = append(so.Grid, n)
	}
	return so, nil
}

// list describes the systems.
func list(out io.Writer) error {
	var b strings.Builder
	for _, s := range solve.Systems() {
		fmt.Fprintf(&b, "%s: %s\n  %s\n  %s\n", s.Name, s.Title, s.Equation, s.Method)
		fmt.Fprintf(&b, "  grid %v, %d frames %v apart, boundaries %v\n", s.Grid, s.Frames, s.Interval, s.Boundaries)
		for _, p := range s.Parameters {
			fmt.Fprintf(&b, "  -param %s=%v…%v  %s\n", p.Name, p.Low, p.High, p.Doc)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
