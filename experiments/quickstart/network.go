package main

import (
	"fmt"
	"io"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/walrus"
)

// network returns a Walrus of about 0.7 million parameters: two blocks of width 64, and
// 12 tokens per axis instead of 32.
func network() walrus.Config {
	c := walrus.Micro()
	c.Name = "quickstart"
	c.Registry = data.MustRegistry("pressure", "velocity_x", "velocity_y", "velocity_z", "density", "speed_of_sound")
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate = 64, 2, 4, 4, 32
	c.Tokens = [3]int{12, 12, 12}
	return c
}

// describe prints the network, the data and the backend.
func describe(w io.Writer, weights *walrus.Weights, set *sample.Set, b compute.Backend) error {
	m, err := walrus.NewModel(weights.Config())
	if err != nil {
		return err
	}
	run := set.Train[0]
	plan, err := m.Plan(run.Grid, run.Boundaries)
	if err != nil {
		return err
	}
	used, err := m.ParamsFor(plan)
	if err != nil {
		return err
	}
	n := 0
	for _, p := range used {
		n += p.Size()
	}
	fmt.Fprintf(w, "Sound waves in a medium of varying density, grid %v, %d frames.\n", run.Grid, len(run.Frames))
	fmt.Fprintf(w, "Boundaries: %v along x, %v along y.\n", run.Boundaries[0], run.Boundaries[1])
	fmt.Fprintf(w, "Network: %s, %d parameters in use, %d tokens per frame.\n", weights.Config().Name, n, plan.Tokens())
	fmt.Fprintf(w, "Backend: %s\n\n", b.Description())
	return nil
}
