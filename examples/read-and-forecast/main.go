// Command read-and-forecast goes the whole way from files to a forecast: it opens a data set in
// the layout of The Well, reads the frames at the start of a trajectory, and forecasts the
// following ones with any weights.
//
//	GOEXPERIMENT=simd go run ./examples/read-and-forecast -data testdata/data/shear_flow
//	GOEXPERIMENT=simd go run ./examples/read-and-forecast -data DATASET -weights CHECKPOINT
//
// It prints the range of every field of every forecast frame, in physical units, and writes
// the frames to a file for NumPy.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

func main() {
	path := flag.String("data", "", "folder or file of a data set")
	weights := flag.String("weights", nano.Name, "nano, or a checkpoint")
	steps := flag.Int("steps", 5, "frames to forecast")
	out := flag.String("out", "forecast.npz", "file to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := read(ctx, *path)
	if err == nil {
		err = forecast(ctx, w, *weights, *steps, *out, os.Stdout)
	}
	if err != nil {
		log.Fatal("read-and-forecast: ", err)
	}
}

// read returns the first frames of the first test trajectory: as many as the network saw in
// its training, 6 in 2D and 3 in 3D.
func read(ctx context.Context, path string) (*data.Window, error) {
	ds, err := well.Open(path, well.Options{Split: "test"})
	if err != nil {
		return nil, err
	}
	defer ds.Close()
	return ds.Read(ctx, data.Span{Trajectory: 0, Start: 0, Stride: 1, Frames: ds.Metadata().History()}, nil)
}

// forecast continues a window and writes the new frames to a file.
func forecast(ctx context.Context, w *data.Window, weights string, steps int, file string, out io.Writer) error {
	b, err := backend.Default() // GOMLX_BACKEND, an installed XLA plugin, or pure Go
	if err != nil {
		return err
	}
	em, err := nano.Open(weights, walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()
	advice, err := em.Advice(w) // what the weights were not trained on
	if err != nil {
		return err
	}
	for _, a := range advice {
		fmt.Fprintln(out, "note:", a.Text)
	}
	result := *w // the same fields, grid and boundaries
	result.Frames, result.Times, result.Scalars = nil, nil, nil
	for frame, err := range em.Rollout(ctx, w, steps) {
		if err != nil {
			return err
		}
		result.Frames = append(result.Frames, frame.Values)
		for i, name := range w.Channels(false) {
			field := frame.Values[i*w.Points() : (i+1)*w.Points()]
			fmt.Fprintf(out, "step %d: %s from %.4g to %.4g\n", frame.Step, name, slices.Min(field), slices.Max(field))
		}
	}
	return npz.Write(file, &result)
}
