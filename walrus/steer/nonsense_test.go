package steer_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/steer"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	w := box(1, 4, 6)
	sweep.Run(t, sweep.Package{
		Funcs: []any{steer.BoundaryPoints, steer.ConserveMean, steer.DivergenceFree, steer.Hold, steer.Nudge, steer.Positive, steer.RescaleMean, steer.Sequence},
		Values: []any{w, []int{4, 6}, []string{"density"}, steer.Observations{Channel: "density", Points: []int{1}, Values: [][]float32{{1}}},
			[]walrus.Correction{steer.Positive("density")}},
		Strings: []string{"density", "velocity", "velocity_x"},
	})
}
