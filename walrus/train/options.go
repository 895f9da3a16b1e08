package train

import (
	"log/slog"

	"github.com/gomlx/compute"
)

// Options configure a Trainer. Only Backend is required; the other zero values are the
// release's objective and optimiser.
type Options struct {
	Backend   compute.Backend
	Objective Objective
	AdamW     AdamW
	// Seed seeds the generator of jitter and latent rolls.
	Seed uint64
	// NoRolls omits the latent rolls between blocks and keeps the jitter of the input,
	// an ablation (paper §3.2).
	NoRolls bool
	// Freeze lists the tensors that are not trained, by name or by a pattern in
	// which * matches any characters: "blocks.*", "embed.2.*". A pattern that matches
	// no tensor is an error.
	Freeze []string
	// LoRA, if not nil, trains adapters in place of some tensors. The other tensors are
	// trained directly unless frozen.
	LoRA *LoRA
	// EMA, if above 0, keeps an exponential moving average of the weights,
	// averaged ← EMA·averaged + (1−EMA)·weights after every update.
	EMA float64
	// Log receives one record per compiled program; nil means no log.
	Log *slog.Logger
}
