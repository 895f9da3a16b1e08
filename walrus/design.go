package walrus

import (
	"encoding/json"
	"fmt"
)

// Design describes a network that is not a Walrus network, in a checkpoint: a peer of package
// walrus/peers, or one of another program.
type Design struct {
	// Kind names the design: "Poseidon".
	Kind string `json:"kind"`
	// Weights is the name of the part with the weights, whose format is the design's.
	Weights string `json:"weights"`
	// Settings are what the design's package needs besides the weights, as JSON: names of
	// channels, statistics of the data set.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// Of returns the kind; that of a nil design is "Walrus".
func (d *Design) Of() string {
	if d == nil {
		return "Walrus"
	}
	return d.Kind
}

// File returns the name of the part with the weights; that of a nil design is [WeightsFile].
func (d *Design) File() string {
	if d == nil {
		return WeightsFile
	}
	return d.Weights
}

// DesignError is the error of [FindCheckpoint] for a checkpoint of a network that is not a
// Walrus network.
type DesignError struct {
	Manifest *Manifest
}

// Error says how to open the checkpoint.
func (e *DesignError) Error() string {
	m := e.Manifest
	if m == nil {
		m = &Manifest{}
	}
	return fmt.Sprintf("walrus: checkpoint %s: expected a Walrus network, got one of kind %s: open it with the package of that network (peers.Open)", m.Dir, m.Design.Of())
}
