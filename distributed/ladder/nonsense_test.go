package ladder_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	paper := ladder.Paper()
	paper.Devices, paper.Group, paper.Micro, paper.Systems = 4, 2, 4, paper.Systems[:1]
	sweep.Run(t, sweep.Package{
		Funcs:  []any{ladder.H100Network, ladder.NewClass, ladder.Paper, ladder.PaperRates, ladder.ReadTimes, ladder.Rungs, ladder.Small, ladder.TwoBlocks},
		Types:  []any{new(ladder.Class), new(ladder.Measurement), new(ladder.Network), new(ladder.Rates), new(ladder.Setup), new(ladder.Times), new(ladder.Trial)},
		Values: []any{paper, ladder.H100Network(), ladder.PaperRates()},
		Exempt: map[string]string{"Setup.Ladder": "calls Run for every rung", "Trial.Ladder": "calls Run for every rung"},
		Calls:  12,
	})
}
