package main

import (
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// share is what a task's operations a second are of those of a product of two square
// matrices of 2048 in float32 on the same backend, the best of twenty.
func share(b compute.Backend, c walrus.Config, s size, task string, seconds float64) (float64, error) {
	n, err := operations(c, s, task)
	if err != nil {
		return 0, err
	}
	const width = 2048
	exec, err := NewExec(b, func(x *Node) *Node { return Dot(x, x).Product() })
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	x := tensors.FromShape(shapes.Make(dtypes.Float32, width, width))
	defer x.FinalizeAll()
	best := 0.0
	for range 20 {
		begin := time.Now()
		out, err := exec.Call(x)
		if err != nil {
			return 0, err
		}
		out[0].FinalizeAll()
		best = max(best, 2*width*width*width/time.Since(begin).Seconds())
	}
	return n / seconds / best, nil
}

// operations are those of the network alone, forward, or in training forward and
// backward. A forecast needs the last frame alone, as a network does that is not causal.
func operations(c walrus.Config, s size, task string) (float64, error) {
	m, err := walrus.NewModel(c)
	if err != nil {
		return 0, err
	}
	w := window(s)
	plan, err := m.Plan(w.Grid, w.Boundaries)
	if err != nil {
		return 0, err
	}
	shape := distributed.BatchShape{Grid: w.Grid, Boundaries: w.Boundaries, Steps: s.frames, Variable: 5}
	c.Causal = task == "step"
	f := distributed.CountFLOPs(c, plan, shape)
	if task == "step" {
		return 3 * f.Total(), nil
	}
	return f.Total(), nil
}
