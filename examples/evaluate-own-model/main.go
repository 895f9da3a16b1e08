// Command evaluate-own-model scores a model of one's own with the metrics, horizons and baselines
// of the paper (package walrus/eval). The model here continues the last change of every
// point, which fades. Yours may be anything that continues frames.
//
//	GOEXPERIMENT=simd go run ./examples/evaluate-own-model
//
// It compares the model with persistence, linear extrapolation and walrus-nano on sound waves
// and writes a page with tables, curves and pictures.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "out/evaluate-own-model", os.Stdout); err != nil {
		log.Fatal("evaluate-own-model: ", err)
	}
}

// damped is the model: it continues the last change of every point, which fades by a factor
// per step. It implements [eval.Forecast].
func damped(factor float32) eval.Forecast {
	return func(ctx context.Context, history *data.Window, steps int) ([][]float32, error) {
		last, before := history.Frames[len(history.Frames)-1], history.Frames[len(history.Frames)-2]
		var out [][]float32
		gain := float32(0)
		for k, weight := 0, factor; k < steps; k, weight = k+1, weight*factor {
			gain += weight
			frame := make([]float32, len(last))
			for i, u := range last {
				frame[i] = u + gain*(u-before[i])
			}
			out = append(out, frame)
			eval.Step(ctx) // for progress bars
		}
		return out, ctx.Err()
	}
}

// run scores the forecasters, prints the medians and writes the page.
func run(ctx context.Context, dir string, out io.Writer) error {
	set, err := sample.Load()
	if err != nil {
		return err
	}
	ds, err := set.Dataset("test") // or well.Open, or data.NewMemory for frames of your own
	if err != nil {
		return err
	}
	b, err := backend.Pick(false)
	if err != nil {
		return err
	}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()

	names := []string{"damped", "walrus-nano", "persistence", "linear"}
	forecasters := eval.Baselines()
	forecasters["damped"], forecasters["walrus-nano"] = damped(0.5), eval.Model(em)
	result, err := eval.Evaluate(ctx, ds, forecasters, eval.Protocol{
		Input: 6, Windows: 4, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 5}},
	})
	if err != nil {
		return err
	}
	for _, h := range result.Horizons {
		fmt.Fprintf(out, "steps %v:", h.Horizon)
		for _, name := range names {
			fmt.Fprintf(out, "  %s %.3f", name, h.Scores[name].Median)
		}
		fmt.Fprintln(out)
	}
	pictures, err := report.NewSample(ctx, ds, forecasters["damped"], 6, 5)
	if err != nil {
		return err
	}
	if err := report.Write(dir, "A model of my own", names, []report.Entry{{Result: result, Sample: pictures}}); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "wrote", filepath.Join(dir, report.HTMLFile))
	return err
}
