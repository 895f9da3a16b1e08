package walrus

import (
	"context"
	"iter"

	"github.com/gowalrus/gowalrus/data"
)

// Forecaster continues windows of fields in physical units. [Emulator] is one; package
// walrus/peers has others.
type Forecaster interface {
	// Rollout forecasts the given number of frames after the window, one after the other.
	// It yields the first error and stops. It checks ctx before every step. A window that
	// the network cannot continue is an error that says which windows it can.
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[Frame, error]
	// History returns the number of frames that a window on a grid of 1 to 3 axes should
	// have.
	History(axes int) int
	// Close ends running rollouts and frees memory.
	Close()
}

var _ Forecaster = (*Emulator)(nil)

// History returns the number of frames that the released weights and walrus-nano were
// trained with: 6 in 1D and 2D and 3 in 3D. Other numbers are possible.
func (e *Emulator) History(axes int) int { return data.Metadata{Grid: make([]int, min(max(axes, 0), 3))}.History() }
