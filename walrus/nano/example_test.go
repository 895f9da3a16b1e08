package nano_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// The example scores one step of a reaction from the test split of a small data set and
// compares with persistence.
func ExampleLoad() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	ds, err := well.Open(filepath.Join("..", "..", "testdata", "data", "gray_scott_reaction_diffusion"), well.Options{Split: "test"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Start: 10, Stride: 1, Frames: 7}, nil)
	if err != nil {
		log.Fatal(err)
	}
	history, err := w.Slice(0, 6)
	if err != nil {
		log.Fatal(err)
	}
	frame, err := em.Emulate(context.Background(), history)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range [][]float32{frame, history.Frames[5]} {
		v, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), [][]float32{f}, w.Frames[6:], 2)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.4f\n", eval.MeanFields(v)[0])
	}
	// Output:
	// 0.0341
	// 0.1177
}

func ExampleManifest() {
	m, err := nano.Manifest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Config.Name, m.Config.Blocks, m.Config.Hidden, m.Scaling.Normalization)
	_, known := m.Config.Registry.Index("buoyancy")
	fmt.Println(known)
	// Output:
	// walrus-nano 3 128 rms
	// true
}

// Weights returns a copy in host memory, which can be trained.
func ExampleWeights() {
	w, err := nano.Weights(walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(w.Config().Name, len(w.Params()))
	// Output: walrus-nano 80
}

// A finetuning starts from the weights of a network with one more field and learned rotary
// frequencies.
func ExampleWeightsFor() {
	m, err := nano.Manifest()
	if err != nil {
		log.Fatal(err)
	}
	c := m.Config
	c.RoPE = walrus.RoPEPerAxis
	if c.Registry, err = c.Registry.Extend("salinity"); err != nil {
		log.Fatal(err)
	}
	w, report, err := nano.WeightsFor(c, walrus.LoadOptions{Source: m.Config.Registry})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.NewFields, w.Config().Registry.Len()-m.Config.Registry.Len())
	// Output: [salinity] 1
}
