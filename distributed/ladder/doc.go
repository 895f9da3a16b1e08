// Package ladder simulates training on many devices and shows what each part of the
// paper's distribution strategy is worth (§4.2, Figure 4): naive sharding, adaptive
// patches, differential batches, gradient accumulation, hybrid sharding and
// topology-aware sampling, one after the other.
//
// The simulation is one of discrete events. Every device runs its program: parts of
// the network forward and backward, with an all-gather of the weights before each part,
// a reduce-scatter of its gradients after it, and an all-reduce between groups once
// per update. A collective begins when all its devices have asked for it, as PyTorch's
// do ("blocking", §4.2), so a device with little work waits for those with much. The
// next part's weights are asked for one part ahead, and transfers on one link follow
// each other.
//
//	s := ladder.Paper()              // 96 devices in groups of 4, the 19 data sets
//	results, err := s.Ladder()
//	…
//	results[5].Relative              // percent of the naive rung
//
// What goes in is stated: [Rates] (how fast a device computes) or a table of measured
// times ([Times]), [Network] (latencies and bandwidths) and a seed. Two numbers are
// calibrated on the paper's figure, see [PaperRates]; nothing depends on the rung but
// what the rung changes.
package ladder
