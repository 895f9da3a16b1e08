// Command jitter repeats in small what the paper's Table 7 measures: what patch jitter
// and the rolls of tokens between blocks do for long rollouts. The same network is
// trained with both, with jitter alone and with neither, on six simulated systems with
// all three kinds of boundaries, and forecasts 60 steps of unseen runs.
//
//	GOEXPERIMENT=simd go run ./examples/jitter -out out/jitter
//
// Beside the VRMSE it measures what jitter is for (paper §3.2): waves in the error
// that repeat with the patches of the encoder.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// history and steps are the frames that are given and forecast.
const (
	history = 6
	steps   = 60
)

// systems are simulated on these grids: periodic, open and walled axes.
var systems = map[string][]int{
	"navier_stokes":   {32, 32},
	"gray_scott":      {32, 32},
	"euler_periodic":  {32, 32},
	"euler_open":      {32, 32},
	"rayleigh_benard": {32, 32},
	"acoustics":       {32, 32},
}

// variant is a way to train and forecast.
type variant struct {
	name    string
	jitter  walrus.JitterMode
	noRolls bool
}

var variants = []variant{
	{"jitter and rolls", walrus.JitterFixed, false},
	{"jitter", walrus.JitterFixed, true},
	{"neither", walrus.JitterOff, true},
}

// settings are the command's flags.
type settings struct {
	out     string
	updates int
	runs    int
	seed    uint64
	auto    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var s settings
	flag.StringVar(&s.out, "out", "out/jitter", "folder for data, networks, result.json and spectrum.png")
	flag.IntVar(&s.updates, "updates", 2400, "training updates of each network")
	flag.IntVar(&s.runs, "runs", 16, "simulations of each system to learn from")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the simulations and the training")
	flag.BoolVar(&s.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "jitter:", err)
		os.Exit(1)
	}
}

// run is the whole experiment.
func run(ctx context.Context, s settings) error {
	b, err := backend.Pick(s.auto)
	if err != nil {
		return err
	}
	sets, err := simulate(ctx, s)
	if err != nil {
		return err
	}
	defer sets.close()
	forecasters := map[string]eval.Forecast{}
	for _, v := range variants {
		em, err := fit(ctx, s, b, sets, v)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		defer em.Close()
		forecasters[v.name] = remember(survive(em.Forecast))
	}
	var results []*eval.Result
	imprints := newImprints()
	for i, name := range sets.names {
		p := eval.Protocol{Input: history, Horizons: []eval.Horizon{{From: 21, To: steps}, {From: 1, To: 20}, {From: 1, To: 1}}, Windows: 16}
		r, err := eval.Evaluate(ctx, sets.unseen[i], forecasters, p)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.Dataset = name
		results = append(results, r)
		if err := imprints.add(ctx, sets.unseen[i], forecasters); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	report(results, imprints)
	return write(s.out, results, imprints)
}

// survive lets a forecast that diverges end in frames that are far off everything, so
// that it counts as what it is.
func survive(f eval.Forecast) eval.Forecast {
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		for n := steps; n > 0; n-- {
			frames, err := f(ctx, w, n)
			if ctx.Err() != nil {
				return nil, err
			}
			if err != nil {
				continue
			}
			for len(frames) < steps {
				far := make([]float32, len(frames[0]))
				for i := range far {
					far[i] = 1e9 * float32(1-2*(i%2))
				}
				frames = append(frames, far)
			}
			return frames, nil
		}
		return nil, errors.New("the first step diverged")
	}
}

// remember keeps forecasts, which are asked for up to three times.
func remember(f eval.Forecast) eval.Forecast {
	known := map[data.Origin][][]float32{}
	return func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
		if frames := known[w.Origin]; len(frames) >= steps {
			return frames[:steps], nil
		}
		frames, err := f(ctx, w, steps)
		if err == nil {
			known[w.Origin] = frames
		}
		return frames, err
	}
}

// sets are the data sets of all systems.
type sets struct {
	names         []string
	learn, unseen []*well.Dataset
}

func (s *sets) close() {
	for _, list := range [][]*well.Dataset{s.learn, s.unseen} {
		for _, ds := range list {
			ds.Close()
		}
	}
}

// simulate makes the data, or takes what an earlier run made.
func simulate(ctx context.Context, s settings) (*sets, error) {
	out := &sets{}
	dir := filepath.Join(s.out, fmt.Sprintf("data-%d-%d", s.runs, s.seed))
	for _, system := range solve.Systems() {
		grid, ok := systems[system.Name]
		if !ok {
			continue
		}
		folder := filepath.Join(dir, system.Name)
		if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
			o := solve.Options{System: system, Out: dir, Train: s.runs, Test: 16, Grid: grid, Frames: history + steps, Seed: s.seed}
			if _, err := solve.Simulate(ctx, o); err != nil {
				return nil, err
			}
		}
		learn, err := well.Open(folder, well.Options{Split: "train"})
		if err != nil {
			return nil, err
		}
		unseen, err := well.Open(folder, well.Options{Split: "test"})
		if err != nil {
			return nil, err
		}
		out.names, out.learn, out.unseen = append(out.names, system.Name), append(out.learn, learn), append(out.unseen, unseen)
	}
	return out, nil
}

// fit trains a network, or takes what an earlier run trained.
func fit(ctx context.Context, s settings, b compute.Backend, sets *sets, v variant) (*walrus.Emulator, error) {
	c := walrus.Nano()
	c.Name, c.Jitter = "jitter", v.jitter
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate = 64, 2, 4, 4, 24
	c.Kernel, c.Tokens = [2]int{4, 4}, [3]int{8, 8, 8}
	o := train.RunOptions{
		Dir: filepath.Join(s.out, fmt.Sprintf("run-%s-%d-%d-%d", v.name, s.runs, s.updates, s.seed)), Epochs: 40, Updates: max(1, s.updates/40), Accumulate: 1,
		Trainer:  train.Options{Backend: b, Seed: s.seed, NoRolls: v.noRolls},
		Schedule: train.Schedule{Base: 1.5e-3, Warmup: 2, Cooldown: 14},
		Observe: func(p train.Progress) {
			if p.Update%100 == 0 {
				fmt.Fprintf(os.Stderr, "%s: update %d of %d, loss %.2f\n", v.name, p.Update, p.Updates, p.Loss)
			}
		},
	}
	registry := data.MustRegistry()
	for i, ds := range sets.learn {
		o.Systems = append(o.Systems, train.System{Name: sets.names[i], Train: ds, Cut: data.Cut{Input: history}})
		var err error
		if registry, err = registry.Extend(ds.Metadata().Channels()...); err != nil {
			return nil, err
		}
	}
	c.Registry = registry
	weights, err := walrus.InitWeights(c, s.seed)
	if err != nil {
		return nil, err
	}
	r, err := train.NewRun(weights, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.Go(ctx); err != nil {
		return nil, err
	}
	return walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, Seed: s.seed, NoRolls: v.noRolls, OwnWeights: true})
}

// write writes what was measured.
func write(dir string, results []*eval.Result, im *imprints) error {
	text, err := json.MarshalIndent(map[string]any{"systems": results, "imprint": im.Ratio(), "frequencies": im.frequencies(), "error_power": im.spectra()}, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "result.json"), append(text, '\n'), 0o666); err != nil {
		return err
	}
	return im.draw(filepath.Join(dir, "spectrum.png"))
}
