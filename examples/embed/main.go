// Command embed is a plain program with a surrogate inside. The program has six frames
// of a reaction and forecasts the next ones:
//
//	GOEXPERIMENT=simd go run ./examples/embed
//
// Function forecast contains everything that your program needs. This program also
// knows the truth, and prints the error of each frame next to those of two baselines.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// The program has a history of frames with points × points points and forecasts steps
// more.
const points, history, steps = 64, 6, 10

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal("embed: ", err)
	}
}

// run forecasts and compares with the truth.
func run(ctx context.Context, out io.Writer) error {
	known, truth := newReactor(points).frames(history, steps)
	frames, err := forecast(ctx, known)
	if err != nil {
		return err
	}
	return compare(out, known, frames, truth)
}

// forecast continues frames of the fields A and B. A frame holds A, then B.
func forecast(ctx context.Context, known [][]float32) (frames [][]float32, err error) {
	b, err := backend.Go()
	if err != nil {
		return nil, err
	}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1}) // or walrus.Load(folder, …)
	if err != nil {
		return nil, err
	}
	defer em.Close()
	w := &data.Window{
		Name:       "reactor",
		Fields:     []data.Field{{Name: "A"}, {Name: "B"}},
		Grid:       []int{points, points},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)},
		Frames:     known,
	}
	for frame, err := range em.Rollout(ctx, w, steps) {
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame.Values)
	}
	return frames, nil
}

// compare prints the VRMSE of each frame, the mean of the two fields, next to those of
// persistence and linear extrapolation.
func compare(out io.Writer, known, frames, truth [][]float32) error {
	same, err := eval.Persistence(known, steps)
	if err != nil {
		return err
	}
	on, err := eval.Linear(known, steps)
	if err != nil {
		return err
	}
	var scores [3][]float64
	for i, f := range [][][]float32{frames, same, on} {
		fields, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), f, truth, 2)
		if err != nil {
			return err
		}
		scores[i] = eval.MeanFields(fields)
	}
	for i := range steps {
		fmt.Fprintf(out, "step %2d: VRMSE %.3f, no change %.3f, linear %.3f\n", i+1, scores[0][i], scores[1][i], scores[2][i])
	}
	return nil
}
