// Package nano holds walrus-nano, the weights that come with the library: a network of
// 1.9 million parameters, trained on nine small data sets and on simulations of 23 systems
// on many grids (experiments/nano has recipe, log and evaluation).
//
//	em, err := nano.Load(walrus.EmulatorOptions{Backend: b})
//	frame, err := em.Emulate(ctx, window)
//
// The weights are useful at once on grids of some thousand points, for learning the
// library, and as a start for finetuning. For real work use the released weights. The
// training histories had 6 frames in 2D and 3 frames in 3D.
//
// The files hold matrices in float16 ([walrus.StoreFloat16]); loading converts them to
// float32. [Versions] lists the newest weights and their predecessors, which stay for one
// version of the library.
package nano

import "github.com/gowalrus/gowalrus/walrus"

// Manifest describes the newest weights.
func Manifest() (*walrus.Manifest, error) { return newest.Manifest() }

// Weights returns a copy of the newest weights.
func Weights(o walrus.LoadOptions) (*walrus.Weights, error) { return newest.Weights(o) }

// WeightsFor returns the newest weights for a network whose fields or finetuning options
// differ from those of the manifest; see walrus.LoadWeights.
func WeightsFor(c walrus.Config, o walrus.LoadOptions) (*walrus.Weights, *walrus.LoadReport, error) {
	return newest.WeightsFor(c, o)
}

// Load returns an emulator of the newest weights. The caller must close the emulator, which
// also frees the weights.
func Load(o walrus.EmulatorOptions) (*walrus.Emulator, error) { return newest.Load(o) }

// Familiarity describes the windows that the newest weights were trained on.
func Familiarity() (*walrus.Familiarity, error) { return newest.Familiarity() }
