// Command pack writes a checkpoint of a run in the form that the library ships: weights
// with float16 matrices (see -store), configuration, scaling and step, without the state
// of the training:
//
//	go run ./experiments/nano/pack -in out/run-nano/best -out walrus/nano/checkpoint
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
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
	bytes, err := pack(*in, *out, storage)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d bytes of weights in %v\n", *out, bytes, storage)
	return err
}

// pack copies the weights of the checkpoint folder in to the folder out and returns the
// length of the weight file.
func pack(in, out string, storage walrus.Storage) (int64, error) {
	m, err := walrus.OpenCheckpoint(in)
	if err != nil {
		return 0, err
	}
	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, walrus.LoadOptions{})
	if err != nil {
		return 0, err
	}
	defer w.Finalize()
	w.Adopt(m)
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
