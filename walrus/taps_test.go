package walrus

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
)

// Taps are the intermediate results that the goldens have.
type Taps = taps

// ForwardTaps is Forward with intermediate results.
func (m *Model) ForwardTaps(w ModelWeights, in Inputs, plan *csm.Plan, t *Taps) *Node {
	return m.forward(w, in, plan, t)
}
