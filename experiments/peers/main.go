// Command peers repeats the comparison of the paper's Table 1 on a small scale. Networks of about a
// million parameters are trained on one data set at a time, with the same windows and the same
// number of updates: Walrus, Poseidon, DPOT, MPP, a U-Net and a Fourier neural operator from
// scratch, and walrus-nano from its shipped weights.
//
//	GOEXPERIMENT=simd go run ./experiments/peers -seeds 1,2,3 -out out/peers
//
// Every training appends a line to result.jsonl. A training whose line is there is not repeated, so
// that an interrupted call continues; -networks and -data choose a part. With -table the program
// prints the table of the lines, and draws forecast.png after -advection, without training.
//
// The paper's Figure 13 in small is -advection: a field moves with a speed that the data do not
// contain, and a network that sees a single frame cannot learn it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// history is the number of frames that every network gets. Poseidon uses the last.
const history = 6

// batch is the number of windows of an update.
const batch = 4

// sets are the data sets: vortices that roll up, waves between walls in a medium that the data do
// not contain, shocks in a gas, and a reaction with diffusion.
var sets = []string{"shear_flow", "acoustic_scattering_inclusions", "euler_multi_quadrants_periodicBC", "gray_scott_reaction_diffusion"}

// options are the settings of the experiment.
type options struct {
	experiment.Settings
	folder, split    string
	networks, data   []string
	rate             float64
	table, advection bool
}

func main() {
	o := options{networks: names(), data: sets}
	o.flags(flag.CommandLine)
	experiment.Main(&o.Settings, "peers", 200, 64, func(ctx context.Context, b compute.Backend) error { return o.run(ctx, b) })
}

// flags adds the flags of the experiment.
func (o *options) flags(f *flag.FlagSet) {
	some := func(name, usage string, to *[]string) {
		all := *to
		f.Func(name, usage+" (default "+strings.Join(all, ",")+")", func(text string) error {
			*to = strings.Split(text, ",")
			for _, one := range *to {
				if !slices.Contains(all, one) {
					return fmt.Errorf("expected some of %s, got %q", strings.Join(all, ","), one)
				}
			}
			return nil
		})
	}
	f.StringVar(&o.folder, "folder", filepath.Join("testdata", "data"), "folder of the data sets")
	f.StringVar(&o.split, "split", "test", "split to forecast; valid to choose a learning rate")
	f.Float64Var(&o.rate, "rate", 0, "learning rate of all networks; 0 means that of each")
	some("networks", "networks to train", &o.networks)
	some("data", "data sets", &o.data)
	f.BoolVar(&o.table, "table", false, "print the table of result.jsonl and draw forecast.png, without training")
	f.BoolVar(&o.advection, "advection", false, "train on fields that move with a hidden speed instead")
}

// run runs the experiment.
func (o options) run(ctx context.Context, b compute.Backend) error {
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return err
	}
	file := filepath.Join(o.Out, "result.jsonl")
	done, err := read(file)
	if err != nil {
		return err
	}
	switch {
	case o.table:
		report(os.Stdout, done)
		return draw(o.Out)
	case o.advection:
		o.data = []string{hidden}
	}
	for _, seed := range o.Seeds {
		for _, name := range o.data {
			for _, network := range o.networks {
				l := line{Data: name, Network: network, Seed: seed, Updates: o.Updates, Rate: o.rate, Split: o.split}
				if l.Rate == 0 {
					l.Rate = rates[network]
				}
				if slices.ContainsFunc(done, l.same) {
					continue
				}
				if err := o.one(ctx, b, &l); err != nil {
					return fmt.Errorf("%s on %s, seed %d: %w", network, name, seed, err)
				}
				if err := add(file, l); err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "%s on %s, seed %d, %d parameters, %.0f s: %v\n", network, name, seed, l.Parameters, l.Seconds, numbers(l.Errors[network]))
			}
		}
	}
	return nil
}

// horizons are those of the table.
var horizons = []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 10}, {From: 1, To: 20}}

// one trains a network on a data set and scores its forecasts.
func (o options) one(ctx context.Context, b compute.Backend, l *line) error {
	begin := time.Now()
	set, err := o.open(ctx, l.Data, l.Seed)
	if err != nil {
		return err
	}
	defer set.close()
	// An interrupted training continues there.
	dir := filepath.Join(o.Out, fmt.Sprintf("run-%s-%s-%d-%d-%g", l.Data, l.Network, l.Seed, l.Updates, l.Rate))
	f, err := fit(ctx, b, set, l, dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer f.Close()
	forecasters := eval.Baselines()
	forecasters[l.Network] = eval.Model(f)
	r, err := eval.Evaluate(ctx, set.unseen, forecasters, eval.Protocol{Input: history, Horizons: horizons, Windows: 24})
	if err != nil {
		return err
	}
	l.record(r)
	l.Seconds = time.Since(begin).Seconds()
	if o.advection && l.Seed == o.Seeds[0] {
		return keep(ctx, set.unseen, l.Network, f, filepath.Join(o.Out, "frames.json"))
	}
	return nil
}
