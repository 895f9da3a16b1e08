// Command advection repeats the experiment of the paper's Appendix D: a field moves
// with a speed that is nowhere in the data. A network that sees six frames can read it
// off them; one that sees a single frame cannot, however long it is trained.
//
//	GOEXPERIMENT=simd go run ./examples/advection -out out/advection
//
// It simulates the data, trains both networks alike, prints the VRMSE of unseen runs
// beside persistence and linear extrapolation, and draws a forecast of each.
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
	"github.com/gowalrus/gowalrus/internal/picture"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// most is the longer of the two histories.
const most = 6

// steps is how far unseen runs are forecast.
const steps = 10

// interval is the time between two frames, in which the field moves by 0.8 to 4
// points.
const interval = 0.5

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
	flag.StringVar(&s.out, "out", "out/advection", "folder for data, networks, result.json and forecast.png")
	flag.IntVar(&s.updates, "updates", 1500, "training updates of each network")
	flag.IntVar(&s.runs, "runs", 64, "simulations to learn from")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the simulations and the training")
	flag.BoolVar(&s.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "advection:", err)
		os.Exit(1)
	}
}

// run is the whole experiment.
func run(ctx context.Context, s settings) error {
	b, err := backend.Pick(s.auto)
	if err != nil {
		return err
	}
	learn, unseen, err := simulate(ctx, s)
	if err != nil {
		return err
	}
	defer learn.Close()
	defer unseen.Close()
	forecasters := eval.Baselines()
	for _, history := range []int{1, most} {
		em, err := fit(ctx, s, b, learn, history)
		if err != nil {
			return err
		}
		defer em.Close()
		forecasters[name(history)] = func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
			last, err := w.Slice(len(w.Frames)-history, len(w.Frames))
			if err != nil {
				return nil, err
			}
			return em.Forecast(ctx, last, steps)
		}
	}
	r, err := eval.Evaluate(ctx, unseen, forecasters, eval.Protocol{Input: most, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: steps}}, Windows: 48})
	if err != nil {
		return err
	}
	if err := report(s, r); err != nil {
		return err
	}
	return draw(ctx, s, unseen, forecasters)
}

// report prints the errors and writes them to result.json.
func report(s settings, r *eval.Result) error {
	for _, h := range r.Horizons {
		fmt.Printf("steps %v (%d places):", h.Horizon, h.Windows)
		for _, f := range []string{name(most), name(1), "persistence", "linear"} {
			fmt.Printf("  %s %.3f", f, h.Scores[f].Median)
		}
		fmt.Println()
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, "result.json"), append(text, '\n'), 0o666)
}

func name(history int) string {
	if history == 1 {
		return "one frame"
	}
	return fmt.Sprintf("%d frames", history)
}

// simulate makes the data, or takes what an earlier run made.
func simulate(ctx context.Context, s settings) (learn, unseen *well.Dataset, err error) {
	system, err := solve.Lookup("advection")
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(s.out, fmt.Sprintf("data-%d-%d", s.runs, s.seed))
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		o := solve.Options{System: system, Out: dir, Train: s.runs, Test: 16, Frames: 24, Interval: interval, Seed: s.seed}
		if _, err := solve.Simulate(ctx, o); err != nil {
			return nil, nil, err
		}
	}
	if learn, err = well.Open(filepath.Join(dir, system.Name), well.Options{Split: "train"}); err != nil {
		return nil, nil, err
	}
	unseen, err = well.Open(filepath.Join(dir, system.Name), well.Options{Split: "test"})
	return learn, unseen, err
}

// fit trains a network that sees that many frames.
func fit(ctx context.Context, s settings, b compute.Backend, ds *well.Dataset, history int) (*walrus.Emulator, error) {
	c := walrus.Nano()
	c.Name = "advection"
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate = 64, 2, 4, 4, 24
	c.Kernel, c.Tokens = [2]int{4, 4}, [3]int{8, 8, 8}
	c.Registry = data.MustRegistry(ds.Metadata().Channels()...)
	weights, err := walrus.InitWeights(c, s.seed)
	if err != nil {
		return nil, err
	}
	const epochs = 30
	r, err := train.NewRun(weights, train.RunOptions{
		Dir: filepath.Join(s.out, fmt.Sprintf("run-%d-%d-%d-%d", history, s.runs, s.updates, s.seed)), Epochs: epochs, Updates: max(1, s.updates/epochs), Accumulate: 1,
		Trainer:  train.Options{Backend: b, Seed: s.seed},
		Schedule: train.Schedule{Base: 2e-3, Warmup: 2, Cooldown: 10},
		Systems:  []train.System{{Name: "advection", Train: ds, Batch: 4, Cut: data.Cut{Input: history}}},
		Observe: func(p train.Progress) {
			if p.Update%100 == 0 {
				fmt.Fprintf(os.Stderr, "%s: update %d of %d, loss %.2f\n", name(history), p.Update, p.Updates, p.Loss)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.Go(ctx); err != nil {
		return nil, err
	}
	return walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, Seed: s.seed, OwnWeights: true})
}

// draw draws the last frame of a forecast of each network.
func draw(ctx context.Context, s settings, ds *well.Dataset, forecasters map[string]eval.Forecast) error {
	w, err := ds.Read(ctx, data.Span{Stride: 1, Frames: most + steps}, nil)
	if err != nil {
		return err
	}
	history, err := w.Slice(0, most)
	if err != nil {
		return err
	}
	p := picture.Panel{Title: fmt.Sprintf("advection with hidden speed, %d steps on", steps), H: w.Grid[0], W: w.Grid[1], Scale: 5, Smooth: true}
	last := func(name string, frames [][]float32) {
		p.Columns = append(p.Columns, name)
		if len(p.Rows) == 0 {
			p.Rows = append(p.Rows, picture.Row{Label: w.Channels(false)[0]})
		}
		p.Rows[0].Cells = append(p.Rows[0].Cells, picture.Cell{Values: frames[len(frames)-1][:w.Points()], Map: picture.CoolWarm})
	}
	last("now", history.Frames)
	last("truth", w.Frames)
	for _, f := range []string{name(most), name(1)} {
		frames, err := forecasters[f](ctx, history, steps)
		if err != nil {
			return err
		}
		last(f, frames)
	}
	return picture.PNG(filepath.Join(s.out, "forecast.png"), p)
}
