package walrus_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/walrus"
)

// Weights are saved to a file and loaded again. Loading the file of another network is an
// error that lists the tensors that do not fit.
func ExampleLoadWeights() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "micro.safetensors")
	w, err := walrus.InitWeights(walrus.Micro(), 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Save(path, nil); err != nil {
		log.Fatal(err)
	}
	w.Close()

	w, report, err := walrus.LoadWeights(path, walrus.Micro(), walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.Format, report.Tensors, report.Parameters)

	wide := walrus.Micro()
	wide.Blocks = 2
	report, err = walrus.CheckWeights(path, wide, walrus.LoadOptions{})
	fmt.Println(err != nil, len(report.Missing), report.Missing[0])
	// Output:
	// safetensors 38 1178471
	// true 21 blocks.1.space_mixing.norm1.weight
}

// A checkpoint is a folder that is replaced as a whole.
func ExampleSaveCheckpoint() {
	parent, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	w, err := walrus.InitWeights(walrus.Micro(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	dir := filepath.Join(parent, "last")
	for step := range int64(3) {
		if err := walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w, Step: step}); err != nil {
			log.Fatal(err)
		}
	}
	found, err := walrus.FindCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Config.Name, found.Manifest.Step, filepath.Base(found.Weights))
	// Output: micro 2 model.safetensors
}
