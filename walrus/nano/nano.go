// Package nano holds walrus-nano, the weights that come with the library: a network
// of 1.7 million parameters, trained on small data sets of nine systems and on
// simulations of ten (experiments/nano has recipe, log and evaluation).
//
//	em, err := nano.Load(walrus.EmulatorOptions{Backend: b})
//	frame, err := em.Emulate(ctx, window)
//
// It is made to be useful at once on grids of some thousand points, to learn the
// library with, and as a start for finetuning; for real work take the released
// weights. It was trained with histories of 6 frames, in space 3.
//
// The files hold matrices in float16 ([walrus.StoreFloat16]); loading widens them.
// [Versions] lists the newest weights and their predecessors, which stay for one version
// of the library.
package nano

import "github.com/gowalrus/gowalrus/walrus"

// Manifest describes the newest weights.
func Manifest() (*walrus.Manifest, error) { return newest.Manifest() }

// Weights returns a copy of the newest weights.
func Weights(o walrus.LoadOptions) (*walrus.Weights, error) { return newest.Weights(o) }

// WeightsFor returns the newest weights for a network that differs from that of the
// manifest in its fields or its finetuning options; see walrus.LoadWeights.
func WeightsFor(c walrus.Config, o walrus.LoadOptions) (*walrus.Weights, *walrus.LoadReport, error) {
	return newest.WeightsFor(c, o)
}

// Load returns an emulator of the newest weights. It owns them, so close it.
func Load(o walrus.EmulatorOptions) (*walrus.Emulator, error) { return newest.Load(o) }
