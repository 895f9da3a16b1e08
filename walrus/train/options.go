package train

import (
	"log/slog"

	"github.com/gomlx/compute"
)

// Options configure a Trainer. The zero value but for Backend trains with the
// release's objective and optimiser.
type Options struct {
	Backend   compute.Backend
	Objective Objective
	AdamW     AdamW
	// Seed seeds the generator of jitter and latent rolls.
	Seed uint64
	// NoRolls leaves out the latent rolls between blocks and keeps the jitter of the
	// input, an ablation (paper §3.2).
	NoRolls bool
	// Freeze lists the tensors that are not trained, by name or by a pattern in
	// which * stands for any characters: "blocks.*", "embed.2.*". A pattern that
	// matches none is an error.
	Freeze []string
	// LoRA, if not nil, trains adapters in place of some tensors. The others are
	// trained as they are unless frozen.
	LoRA *LoRA
	// EMA, if above 0, keeps an exponential moving average of the weights,
	// averaged ← EMA·averaged + (1−EMA)·weights after every update.
	EMA float64
	// Log receives one record per compiled program; nil is silent.
	Log *slog.Logger
}
