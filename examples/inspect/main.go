// Command inspect describes a network, the plan for a grid, a checkpoint, data sets
// and the backend, without loading any weights:
//
//	go run ./examples/inspect -preset walrus
//	go run ./examples/inspect -preset walrus -grid 256x512 -boundary periodic,wall
//	go run ./examples/inspect -config extended_config.yaml -json
//	go run ./examples/inspect -weights nano
//	go run ./examples/inspect -weights walrus.pt
//	go run ./examples/inspect -weights out/run/best -grid 32x48 -boundary periodic,wall
//	go run ./examples/inspect -data datasets/shear_flow
//	go run ./examples/inspect -data datasets/shear_flow -stats
//	go run ./examples/inspect -backend
//
// For a checkpoint of this library it prints the data that the weights were trained on,
// and with -grid the properties of the plan that the training lacked.
//
// With -stats it writes the stats.yaml of a data set that has none. With -json it
// prints one JSON object instead of text.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// options are the command's flags.
type options struct {
	preset, config, checkpoint string // checkpoint may be one of nano.Names
	grid, boundary             string
	history                    int
	data                       string
	backend, json, stats       bool
}

// errUsage marks mistakes in the flags.
var errUsage = errors.New("usage")

func newFlags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("inspect", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.preset, "preset", "", "network: "+strings.Join(walrus.PresetNames(), ", ")+" (walrus, if nothing else is asked for)")
	f.StringVar(&o.config, "config", "", "network: path of an extended_config.yaml")
	f.StringVar(&o.checkpoint, "weights", "", strings.Join(nano.Names(), ", ")+" for weights that come with the library, or the path of a .pt or .safetensors file or of a checkpoint folder")
	f.StringVar(&o.checkpoint, "checkpoint", "", "the same as -weights")
	f.StringVar(&o.grid, "grid", "", "plan this grid: points per axis, such as 256x512")
	f.StringVar(&o.boundary, "boundary", "", "boundary per axis of the grid: periodic, wall, open, or wall/open for low/high, such as periodic,wall")
	f.IntVar(&o.history, "history", 0, "frames of the history that the advice on a -grid supposes; 0 is 6, in 3D 3")
	f.StringVar(&o.data, "data", "", "check data sets in the layout of The Well: a file, a data set or a folder of data sets; every value is read")
	f.BoolVar(&o.stats, "stats", false, "with -data: compute the statistics of the training split of a data set and write its stats.yaml")
	f.BoolVar(&o.backend, "backend", false, "open the default backend and multiply two matrices on it")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	return f
}

func main() {
	err := run(os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "inspect:", err)
	if errors.Is(err, errUsage) {
		usage(os.Stderr)
		os.Exit(2)
	}
	os.Exit(1)
}

func usage(w io.Writer) {
	f := newFlags(new(options))
	f.SetOutput(w)
	fmt.Fprintln(w, "Usage of inspect:")
	f.PrintDefaults()
}

// run runs the command.
func run(args []string, stdout io.Writer) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		usage(stdout)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if o.data != "" { // reads every value
		m := meter.New(os.Stderr, "reading "+o.data, "")
		defer m.Close()
	}
	if o.stats {
		return writeStatistics(context.Background(), o.data, stdout)
	}
	if o.data != "" {
		r, problems := inspectData(o.data)
		if r == nil {
			return problems
		}
		return errors.Join(r.write(stdout, o.json), problems)
	}
	r, err := inspect(o)
	if err != nil {
		return err
	}
	if !o.json {
		_, err = io.WriteString(stdout, r.text())
		return err
	}
	return json.NewEncoder(stdout).Encode(r)
}

func parse(args []string) (options, error) {
	var o options
	f := newFlags(&o)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("expected flags only, got %q", f.Args())
	case o.preset != "" && o.config != "":
		return o, errors.New("expected -preset or -config, got both")
	case o.data != "" && (o.preset != "" || o.config != "" || o.checkpoint != "" || o.grid != "" || o.backend):
		return o, errors.New("expected -data alone or with -json, got other flags, too")
	case o.stats && (o.data == "" || o.json):
		return o, errors.New("expected -data FOLDER with -stats, and no -json")
	case o.data != "":
	case o.grid == "" && o.boundary != "":
		return o, errors.New("expected -grid with -boundary, got -boundary alone")
	case o.history < 0 || o.history > 0 && o.grid == "":
		return o, fmt.Errorf("expected -history of 1 or more, with -grid, got %d", o.history)
	case o.grid != "" && o.boundary == "":
		return o, errors.New("expected -boundary with -grid (periodic, wall or open per axis), got -grid alone")
	case o.preset == "" && o.config == "" && o.checkpoint == "" && (!o.backend || o.grid != ""):
		o.preset = "walrus"
	}
	return o, nil
}

// inspect collects the requested parts of the report.
func inspect(o options) (*report, error) {
	r := &report{}
	if err := r.network(o); err != nil {
		return nil, err
	}
	if o.checkpoint != "" {
		if err := r.checkpoint(o); err != nil {
			return nil, err
		}
	}
	if o.grid != "" {
		if err := r.plan(o); err != nil {
			return nil, err
		}
	}
	if o.backend {
		return r, r.backend()
	}
	return r, nil
}
