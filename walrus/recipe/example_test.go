package recipe_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// text is a recipe for one of the small data sets in the source tree.
const text = `
name: shear
seed: 1
network: {preset: micro, hidden: 16, heads: 1, groups: 2, intermediate: 4, kernel: [4, 4], tokens: [4, 4, 4]}
data:
  - {path: ../../testdata/data/shear_flow, rotations: mirrors, history: 2}
epochs: 1
updates: 2
accumulate: 1
schedule: {base: 1.0e-3, warmup: -1, cooldown: -1}
validation: {every: -1}
`

// An unknown key is an error that shows the line.
func ExampleParse() {
	r, err := recipe.Parse([]byte(text))
	fmt.Println(r.Name, r.Updates, r.Schedule.Base, err)
	_, err = recipe.Parse([]byte("name: shear\nlearning_rate: 1\n"))
	fmt.Println(err)
	_, err = recipe.Parse([]byte("name: shear\n"))
	fmt.Println(err)
	// Output:
	// shear 2 0.001 <nil>
	// line 2: unknown field "learning_rate"
	// data: expected at least one data set, got none
}

// Paths in a file are relative to the file.
func ExampleRead() {
	dir, err := os.MkdirTemp("", "recipe")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "shear.yaml")
	if err := os.WriteFile(path, []byte("name: shear\ndata: [{path: shear_flow}]\n"), 0o666); err != nil {
		log.Fatal(err)
	}
	r, err := recipe.Read(path)
	fmt.Println(r.Data[0].Path, err)
	// Output: shear_flow <nil>
}

// Open opens a recipe, whose run is then trained.
func ExampleRecipe_Open() {
	r, err := recipe.Parse([]byte(text))
	if err != nil {
		log.Fatal(err)
	}
	o, err := r.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	dir, err := os.MkdirTemp("", "recipe")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if o.Options.Trainer.Backend, err = backend.Go(); err != nil {
		log.Fatal(err)
	}
	o.Options.Dir = dir
	o.Options.Observe = func(p train.Progress) { fmt.Println("update", p.Update, "of", p.Updates, p.Samples, "windows") }
	run, err := train.NewRun(o.Weights, o.Options)
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	fmt.Println(run.Train(context.Background()))
	// Output:
	// update 1 of 2 2 windows
	// update 2 of 2 2 windows
	// <nil>
}
