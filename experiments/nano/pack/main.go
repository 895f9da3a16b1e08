// Command pack writes a checkpoint of a run in the form that the library ships: weights
// with float16 matrices (see -store), configuration, scaling and step, without the state
// of the training:
//
//	go run ./experiments/nano/pack -in out/run-nano/best -out walrus/nano/checkpoint
//
// With -start and -share it averages the weights with those that the training started from
// (Wortsman et al. 2022, arXiv 2109.01903): a share of 0.25 gives a quarter of the start.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

func main() {
	if status := command.Status("pack", run(os.Args[1:], os.Stdout), os.Stderr); status != 0 {
		os.Exit(status)
	}
}

// run runs the command.
func run(args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("pack", flag.ContinueOnError)
	in := f.String("in", "", "folder of the checkpoint to read")
	out := f.String("out", "", "folder of the checkpoint to write or replace")
	store := f.String("store", walrus.StoreFloat16.String(), "type of the matrices in the file: float32, float16 or bfloat16")
	start := f.String("start", "", "weights that the training started from: "+strings.Join(nano.Names(), ", "))
	share := f.Float64("share", 0, "with -start: share of these weights in the average, from 0 to 1")
	if err := command.Parse(f, args, stdout); err != nil {
		return err
	}
	if *in == "" || *out == "" || f.NArg() > 0 {
		return command.Usage("expected -in FOLDER and -out FOLDER")
	}
	storage, err := walrus.ParseStorage(*store)
	if err != nil {
		return command.Usage("-store: %w", err)
	}
	if !(*share >= 0 && *share <= 1) || (*share > 0) != (*start != "") {
		return command.Usage("-start and -share: expected both or none, with a share from 0 to 1, got %q and %v", *start, *share)
	}
	bytes, err := pack(*in, *out, storage, *start, *share)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d bytes of weights in %v\n", *out, bytes, storage)
	return err
}

// pack copies the weights of the checkpoint folder in to the folder out, averaged with a
// share of the weights named start, and returns the length of the weight file.
func pack(in, out string, storage walrus.Storage, start string, share float64) (int64, error) {
	m, err := walrus.OpenCheckpoint(in)
	if err != nil {
		return 0, err
	}
	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, walrus.LoadOptions{})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	w.Adopt(m)
	if share > 0 {
		if err := average(w, start, share); err != nil {
			return 0, err
		}
	}
	c := walrus.Checkpoint{Weights: w, Storage: storage, Step: m.Step}
	if err := walrus.SaveCheckpoint(out, c); err != nil {
		return 0, err
	}
	written, err := walrus.OpenCheckpoint(out)
	if err != nil {
		return 0, err
	}
	part, _ := written.Part(walrus.WeightsFile)
	return part.Bytes, nil
}

// average replaces weights by their average with the shipped weights of a name, which are
// first adapted to the network as a training that starts from them does.
func average(w *walrus.Weights, name string, share float64) error {
	v, ok := nano.Find(name)
	if !ok {
		return fmt.Errorf("-start: expected one of %s, got %q", strings.Join(nano.Names(), ", "), name)
	}
	m, err := v.Manifest()
	if err != nil {
		return err
	}
	start, _, err := v.WeightsFor(w.Config(), walrus.LoadOptions{Source: m.Config.Registry})
	if err != nil {
		return err
	}
	defer start.Close()
	for _, p := range w.Params() {
		now, _ := w.Tensor(p.Key)
		before, _ := start.Tensor(p.Key)
		values, err := tensors.CopyFlatData[float32](now)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		old, err := tensors.CopyFlatData[float32](before)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		for i := range values {
			values[i] = float32((1-share)*float64(values[i]) + share*float64(old[i]))
		}
		if err := w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...)); err != nil {
			return err
		}
	}
	return nil
}
