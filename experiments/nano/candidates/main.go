// Command candidates compares sizes and settings of a small network at equal processor
// time: each candidate trains from fresh weights with recipe.yaml and its own changes. After
// the programs are compiled and -warm updates made, it trains for -seconds of processor time
// of all threads. Then the averaged weights forecast the validation splits.
//
//	go run ./experiments/nano/candidates --auto > candidates.jsonl
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// candidate is a network and the settings of its training.
type candidate struct {
	Name                   string
	hidden, blocks, tokens int
	batch, accumulate      int
	rate                   float64
}

// candidates differ in one setting each from the first.
var candidates = []candidate{
	{"width 128, 3 blocks", 128, 3, 16, 2, 2, 1e-3},
	{"width 64", 64, 3, 16, 2, 2, 1e-3},
	{"width 192", 192, 3, 16, 2, 2, 1e-3},
	{"6 blocks", 128, 6, 16, 2, 2, 1e-3},
	{"12 tokens per axis", 128, 3, 12, 2, 2, 1e-3},
	{"batch 1", 128, 3, 16, 1, 2, 1e-3},
	{"4 micro-batches", 128, 3, 16, 2, 4, 1e-3},
	{"learning rate 2e-3", 128, 3, 16, 2, 2, 2e-3},
}

// result is the outcome of a candidate.
type result struct {
	Name       string             `json:"candidate"`
	Parameters int                `json:"parameters"`
	Updates    int64              `json:"updates"`
	Loss       float64            `json:"loss"` // mean of the last fifty updates
	VRMSE      map[string]float64 `json:"vrmse_one_step"`
	Mean       float64            `json:"vrmse_mean"`
}

func main() {
	file := flag.String("config", "experiments/nano/candidates/recipe.yaml", "recipe that all candidates share")
	seconds := flag.Int("seconds", 240, "processor time of each candidate in seconds")
	warm := flag.Int64("warm", 30, "updates before the time counts")
	only := flag.String("only", "", "only candidates whose name has this text")
	auto := flag.Bool("auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	if status := command.Status("candidates", run(*file, *only, *warm, time.Duration(*seconds)*time.Second, *auto), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run prints one line of JSON for each candidate.
func run(file, only string, warm int64, limit time.Duration, auto bool) error {
	b, err := backend.Pick(auto)
	if err != nil {
		return err
	}
	for _, c := range candidates {
		if !strings.Contains(c.Name, only) {
			continue
		}
		r, err := c.try(context.Background(), b, file, warm, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// open reads the recipe with the candidate's settings.
func (c candidate) open(file string) (*recipe.Opened, error) {
	r, err := recipe.Read(file)
	if err != nil {
		return nil, err
	}
	r.Network = map[string]any{"preset": "micro", "hidden": c.hidden, "blocks": c.blocks, "heads": 4, "groups": 4, "intermediate": 24,
		"kernel": []int{4, 4}, "tokens": []int{c.tokens, c.tokens, 8}}
	r.Sampling.Planes.Batch, r.Accumulate, r.Schedule.Base = c.batch, c.accumulate, c.rate
	return r.Open()
}

// try trains and scores a candidate.
func (c candidate) try(ctx context.Context, b compute.Backend, file string, warm int64, limit time.Duration) (r result, err error) {
	opened, err := c.open(file)
	if err != nil {
		return r, err
	}
	defer opened.Close()
	r = result{Name: c.Name, VRMSE: map[string]float64{}}
	for _, p := range opened.Weights.Params() {
		r.Parameters += p.Size()
	}
	dir, err := os.MkdirTemp("", "candidate")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	clock := &clock{warm: warm, limit: limit}
	limited, stop := context.WithCancel(ctx)
	defer stop()
	o := opened.Options
	o.Dir, o.Trainer.Backend = dir, b
	o.Observe = func(p train.Progress) {
		if p.Validation == nil && clock.over(p) {
			stop()
		}
	}
	training, err := train.NewRun(opened.Weights, o)
	if err != nil {
		return r, err
	}
	defer training.Close()
	if err := training.Train(limited); !errors.Is(err, train.ErrInterrupted) {
		return r, fmt.Errorf("expected the end of the time during the run, got %w", err)
	}
	if clock.err != nil {
		return r, clock.err
	}
	r.Updates, r.Loss = training.Updates(), eval.Mean(clock.losses)
	averaged, err := training.Trainer().Averaged()
	if err != nil {
		return r, err
	}
	return r, r.score(ctx, averaged, b, o.Systems)
}

// clock measures the processor time of a run.
type clock struct {
	warm   int64
	limit  time.Duration
	begin  time.Duration
	losses []float64 // of the last fifty updates
	err    error
}

// over reports whether the time of the run is over.
func (c *clock) over(p train.Progress) bool {
	const kept = 50
	if c.losses = append(c.losses, p.Loss); len(c.losses) > kept {
		c.losses = c.losses[1:]
	}
	used, err := machine.Used()
	if err != nil {
		c.err = err
		return true
	}
	if p.Update <= c.warm {
		c.begin = used.CPU
		return false
	}
	return used.CPU-c.begin >= c.limit
}

// score computes the median VRMSE of one step on every validation split.
func (r *result) score(ctx context.Context, w *walrus.Weights, b compute.Backend, systems []train.System) error {
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()
	var all []float64
	for _, s := range systems {
		report, err := eval.Evaluate(ctx, s.Valid, map[string]eval.Forecast{"model": eval.Model(em)},
			eval.Protocol{Input: s.Cut.Input, Horizons: []eval.Horizon{{From: 1, To: 1}}, Windows: 16})
		if err != nil {
			return err
		}
		v := report.Horizons[0].Scores["model"].Median
		r.VRMSE[s.Name], all = v, append(all, v)
	}
	r.Mean = eval.Mean(all)
	return nil
}
