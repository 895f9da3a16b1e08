package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// peak is the largest learning rate. It is reached after warmup updates, and the rate
// then falls along half a cosine to a fiftieth of peak.
const (
	peak   = 2e-3
	warmup = 30
)

func learningRate(update int, done float64) float64 {
	return peak * min(1, float64(update+1)/warmup) * (0.02 + 0.98*(1+math.Cos(math.Pi*done))/2)
}

// fit trains on random windows of the runs until time or updates are used up.
func fit(ctx context.Context, w *walrus.Weights, runs []*data.Window, b compute.Backend, o options, stderr io.Writer) error {
	tr, err := train.New(w, train.Options{Backend: b, Seed: o.seed})
	if err != nil {
		return err
	}
	defer tr.Close()
	rng := rand.New(rand.NewPCG(o.seed, 1))
	m := meter.New(stderr, "training", "‰")
	defer m.Close()
	m.Set(0, 1000)
	begin, mean := time.Now(), 0.0
	for update := 0; ; update++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("training stopped after %d updates: %w", update, err)
		}
		done := time.Since(begin).Seconds() / o.train.Seconds()
		if o.updates > 0 {
			done = float64(update) / float64(o.updates)
		}
		if done >= 1 {
			return nil
		}
		w, err := draws(rng, runs)
		if err != nil {
			return err
		}
		loss, err := tr.Step(&train.Batch{Windows: []*data.Window{w}}, learningRate(update, done))
		if err != nil {
			return fmt.Errorf("update %d: %w", update, err)
		}
		mean += (loss - mean) / min(float64(update+1), 30)
		m.Note("%d updates, loss %.1f", update+1, mean)
		m.Set(int64(1000*done), 1000)
	}
}

// draws draws a run and a window of it: the history and the frame after it.
func draws(rng *rand.Rand, runs []*data.Window) (*data.Window, error) {
	run := runs[rng.IntN(len(runs))]
	from := rng.IntN(len(run.Frames) - history)
	return run.Slice(from, from+history+1)
}
