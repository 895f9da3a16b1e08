// Package ladder simulates training on many devices and shows the gain of each part of
// the paper's distribution strategy (§4.2, Figure 4): naive sharding, adaptive patches,
// differential batches, gradient accumulation, hybrid sharding and topology-aware
// sampling, added one after the other.
//
// The simulation is a discrete-event simulation. Every device runs its program: the
// parts of the network forward and backward, with an all-gather of the weights before
// each part, a reduce-scatter of its gradients after it, and an all-reduce between
// groups once per update. A collective starts when all its devices have asked for it,
// as PyTorch's do ("blocking", §4.2), so a device with little work waits for devices
// with much work. A device asks for the weights of a part while it runs the part
// before, and transfers on one link follow each other.
//
//	s := ladder.Paper()              // 96 devices in groups of 4, the 19 data sets
//	results, err := s.Ladder()
//	…
//	results[5].Relative              // percent of the naive rung
//
// All inputs are stated: [Rates] (how fast a device computes) or a table of measured
// times ([Times]), [Network] (latencies and bandwidths) and a seed. Two numbers are
// calibrated on the paper's figure, see [PaperRates]. A rung changes only its own part
// of the strategy; all other inputs are the same on every rung.
package ladder
