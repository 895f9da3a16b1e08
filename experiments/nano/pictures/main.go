// Command pictures draws one good and one bad forecast of walrus-nano on test splits:
//
//	GOEXPERIMENT=simd go run ./experiments/nano/pictures
//
// It writes good.png and bad.png to experiments/nano: truth, forecast and error at step 12 of
// the first trajectory of each data set.
package main

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

const step = 12

func main() {
	for name, set := range map[string]string{"good": "gray_scott_reaction_diffusion", "bad": "shear_flow"} {
		if err := draw(filepath.Join("experiments", "nano", name+".png"), set); err != nil {
			log.Fatal("pictures: ", err)
		}
	}
}

// draw draws a forecast of a data set.
func draw(path, set string) error {
	b, err := backend.Go()
	if err != nil {
		return err
	}
	defer b.Finalize()
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()
	ds, err := well.Open(filepath.Join("testdata", "data", set), well.Options{Split: "test"})
	if err != nil {
		return err
	}
	defer ds.Close()
	s, err := report.NewSample(context.Background(), ds, eval.Model(em), 0, step)
	if err != nil {
		return err
	}
	panels, err := picture.Compare(s.Truth, s.Forecast, picture.Options{Title: set})
	if err != nil {
		return err
	}
	if len(panels) < step {
		return fmt.Errorf("%s: expected %d frames after the history, got %d", set, step, len(panels))
	}
	return picture.PNG(path, panels[step-1])
}
