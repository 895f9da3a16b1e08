package csm_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	bcs := data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}
	plan, err := csm.NewPlan([]int{32, 48}, bcs, csm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:  []any{csm.NewPlan, csm.ReleasedTokens},
		Types:  []any{new(csm.Axis), new(csm.GridError), new(csm.HMLP), new(csm.Options), new(csm.Plan)},
		Values: []any{plan, bcs, []int{32, 48}, plan.Options, csm.Options{Strides: [][2]int{{4, 4}, {2, 1}}}},
	})
}
