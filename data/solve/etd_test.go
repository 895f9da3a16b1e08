package solve

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestAdvanceNothing: advancing by 0 changes no frame, at the start or later, and does not
// affect the following frames.
func TestAdvanceNothing(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name, func(t *testing.T) {
			points := 64 // enough for the spin-up of every system
			if len(s.Grid) == 3 {
				points = 16
			}
			grid := slices.Repeat([]int{points}, len(s.Grid))
			w := data.Window{Fields: s.Fields, Grid: grid}
			at := func(r Run) []float32 {
				dst := make([]float32, len(w.Channels(false))*w.Points())
				r.Frame(dst)
				return dst
			}
			run, straight := start(t, s, grid, nil), start(t, s, grid, nil)
			first := at(run)
			require.NoError(t, run.Advance(0))
			assert.Equal(t, first, at(run))
			require.NoError(t, run.Advance(s.Interval/64))
			require.NoError(t, straight.Advance(s.Interval/64))
			assert.Equal(t, at(straight), at(run))
			before := at(run)
			require.NoError(t, run.Advance(0))
			assert.Equal(t, before, at(run))
		})
	}
}
