// Command advection repeats the experiment of the paper's Appendix D: a field moves
// with a speed that the data do not contain. A network that sees six frames can infer
// the speed; a network that sees a single frame cannot, however long it is trained.
//
//	GOEXPERIMENT=simd go run ./experiments/advection -out out/advection
//
// It simulates the data, trains both networks alike, prints the VRMSE of unseen runs
// next to persistence and linear extrapolation, and draws a forecast of each network.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// most is the longer of the two histories.
const most = 6

// steps is the number of steps that unseen runs are forecast.
const steps = 10

// interval is the time between two frames, in which the field moves by 0.8 to 4
// points.
const interval = 0.5

func main() {
	var s experiment.Settings
	experiment.Main(&s, "advection", 1500, 64, func(ctx context.Context, b compute.Backend) error { return run(ctx, b, s) })
}

// run runs the whole experiment.
func run(ctx context.Context, b compute.Backend, s experiment.Settings) error {
	if len(s.Seeds) != 1 {
		return fmt.Errorf("expected one seed, got %d", len(s.Seeds))
	}
	set, err := simulate(ctx, s)
	if err != nil {
		return err
	}
	defer set.Close()
	forecasters := eval.Baselines()
	for _, history := range []int{1, most} {
		em, err := training(s, set, history).Fit(ctx, b)
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
	r, err := eval.Evaluate(ctx, set.Unseen, forecasters, eval.Protocol{Input: most, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: steps}}, Windows: 48})
	if err != nil {
		return err
	}
	report(r)
	if err := experiment.WriteJSON(s.Out, r); err != nil {
		return err
	}
	return draw(ctx, s, set.Unseen, forecasters)
}

// report prints the errors.
func report(r *eval.Result) {
	for _, h := range r.Horizons {
		fmt.Printf("steps %v (%d places):", h.Horizon, h.Windows)
		for _, f := range []string{name(most), name(1), "persistence", "linear"} {
			fmt.Printf("  %s %.3f", f, h.Scores[f].Median)
		}
		fmt.Println()
	}
}

func name(history int) string {
	if history == 1 {
		return "one frame"
	}
	return fmt.Sprintf("%d frames", history)
}

// simulate makes the data, or reads the data of an earlier run.
func simulate(ctx context.Context, s experiment.Settings) (*experiment.Set, error) {
	system, err := solve.Lookup("advection")
	if err != nil {
		return nil, err
	}
	return experiment.Simulate(ctx, solve.Options{System: system, Out: filepath.Join(s.Out, fmt.Sprintf("data-%d-%d", s.Runs, s.Seeds[0])),
		Train: s.Runs, Test: 16, Frames: 24, Interval: interval, Seed: s.Seeds[0]})
}

// training returns the training of a network that sees history frames.
func training(s experiment.Settings, set *experiment.Set, history int) experiment.Training {
	const epochs = 30
	r := &recipe.Recipe{Name: "advection", Seed: s.Seeds[0], Network: experiment.Network(), Data: experiment.Sets{set}.Data(),
		Sampling: recipe.Sampling{Planes: recipe.Size{History: history, Batch: 4}},
		Epochs:   epochs, Updates: max(1, s.Updates/epochs), Accumulate: 1,
		Schedule: recipe.Schedule{Base: 2e-3, Warmup: 2, Cooldown: 10}}
	return experiment.Training{Recipe: r, Log: os.Stderr,
		Dir: filepath.Join(s.Out, fmt.Sprintf("run-%d-%d-%d-%d", history, s.Runs, s.Updates, s.Seeds[0]))}
}

// draw draws the last frame of a forecast of each network.
func draw(ctx context.Context, s experiment.Settings, ds *well.Dataset, forecasters map[string]eval.Forecast) error {
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
	return picture.PNG(filepath.Join(s.Out, "forecast.png"), p)
}
