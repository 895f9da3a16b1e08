package distributed_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	bcs := data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}
	plan, err := csm.NewPlan([]int{64, 64}, bcs, csm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window := &data.Window{Fields: []data.Field{{Name: "density"}}, Grid: []int{64, 64}, Boundaries: bcs, Frames: [][]float32{make([]float32, 4096)}}
	sweep.Run(t, sweep.Package{
		Funcs:  []any{distributed.CountFLOPs, distributed.DataParallel, distributed.Estimate, distributed.EstimateLoRA, distributed.Fits, distributed.FullyShard, distributed.Hybrid, distributed.Local, distributed.ShapeOf, distributed.Smallest, distributed.WriteEstimates},
		Types:  []any{new(distributed.Alone), new(distributed.BatchShape), new(distributed.FLOPs), new(distributed.Footprint), new(distributed.Mesh), new(distributed.Use)},
		Values: []any{walrus.Micro(), plan, window, distributed.Hybrid(2, 4), distributed.BatchShape{Grid: []int{64, 64}, Boundaries: bcs, Steps: 2, Size: 1, Variable: 1}},
		Calls:  60,
	})
}
