package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/gowalrus/gowalrus/walrus"
)

// small returns a setup that can be measured in minutes: four devices in groups of two,
// a network of one block, two 2D systems and a 3D system. Fixed patches have 16 points
// and give 8 to 72 tokens per frame; adaptive patches give 144 in 2D and 512 in 3D. A
// 2D micro-batch, with twice the history and twice the windows, then costs about as
// much as a 3D one.
func small() ladder.Setup {
	s := ladder.Paper()
	s.Devices, s.Group, s.Micro, s.Network.Node = 4, 2, 24, 2
	s.Config = walrus.Tiny()
	s.Config.Name, s.Config.Tokens, s.Config.Kernel = "one block of width 64", [3]int{12, 12, 8}, [2]int{4, 4}
	s.Config.Hidden, s.Config.Heads, s.Config.Intermediate, s.Config.Blocks = 64, 1, 8, 1
	s.Config.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	periodic := data.Both(data.Periodic)
	s.Systems = []data.Entry{
		entry("plane of 96 x 96", periodic, 96, 96),
		entry("plane of 192 x 96", periodic, 192, 96),
		entry("volume of 32 x 32 x 32", periodic, 32, 32, 32),
	}
	return s
}

// entry returns a data set with density and velocity.
func entry(name string, boundary data.Boundary, grid ...int) data.Entry {
	e := data.Entry{Name: name, Grid: grid, Axes: []string{"x", "y", "z"}[:len(grid)],
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	for range grid {
		e.Boundaries = append(e.Boundaries, boundary)
	}
	return e
}

// trial measures a setup's ladder on virtual devices.
func trial(ctx context.Context, s ladder.Setup, asJSON bool, stdout, stderr io.Writer) error {
	b, err := devices(s.Devices)
	if err != nil {
		return err
	}
	defer b.Finalize()
	measured, err := ladder.Trial{Setup: s, Backend: b, Clock: processor,
		Log: slog.New(slog.NewTextHandler(stderr, nil))}.Run(ctx)
	if err != nil {
		return err
	}
	return showTrial(stdout, measured, asJSON)
}

// showTrial prints the measurements as a table or as lines of JSON.
func showTrial(w io.Writer, measured []ladder.Measured, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		for _, m := range measured {
			if err := e.Encode(m); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintln(w, "| rung | measured, % | simulated, % | busy | of that for sharding | waiting | updates | run | tokens/s of the run |\n|---|---|---|---|---|---|---|---|---|")
	for _, m := range measured {
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %s | %.0f |\n", m.Rung, m.Relative, m.Simulated.Relative,
			100*m.Busy, 100*m.Sharding, 100*m.Waiting, 100*m.Updating, m.Mesh, m.PerWall)
	}
	return nil
}
