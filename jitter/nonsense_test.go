package jitter_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/jitter"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	plan, err := csm.NewPlan([]int{32, 48}, data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}, csm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:  []any{jitter.AccumulateRolls},
		Types:  []any{new(jitter.Jitterer), new(jitter.Mode)},
		Values: []any{plan, jitter.Jitterer{Plan: plan}, jitter.Jitterer{Plan: plan, Mode: jitter.Padded}},
	})
}
