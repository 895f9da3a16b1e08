// Command embed is a plain program with a surrogate inside. The program has six frames
// of a reaction and forecasts the next frames:
//
//	GOEXPERIMENT=simd go run ./examples/embed
//
// Function forecast contains everything that your program needs. This program also
// knows the truth, and prints the error of each frame next to that of no change.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// The program has history frames of points × points points and forecasts steps more.
const points, history, steps = 64, 6, 10

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal("embed: ", err)
	}
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

// run forecasts and compares with the truth by the VRMSE of both fields together.
func run(ctx context.Context, out io.Writer) error {
	r := newReactor(points)
	var known [][]float32
	for range history {
		known = append(known, r.next())
	}
	frames, err := forecast(ctx, known)
	if err != nil {
		return err
	}
	for i, frame := range frames {
		truth := r.next()
		ours, err := eval.VRMSE(frame, truth, eval.DefaultEps)
		if err != nil {
			return err
		}
		same, err := eval.VRMSE(known[history-1], truth, eval.DefaultEps)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "step %2d: VRMSE %.3f, no change %.3f\n", i+1, ours, same)
	}
	return nil
}
