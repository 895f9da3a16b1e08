package distributed

import (
	"fmt"

	"github.com/gowalrus/gowalrus/internal/lora"
	"github.com/gowalrus/gowalrus/walrus"
)

// ProcessBytes is the memory of a process before it holds weights or activations: the
// program, XLA for CPUs and its compiler. benchmarks/memory measures 0.4 to 0.55 GiB.
const ProcessBytes = 512 << 20

// Use is a way to use a network, with the memory that it needs on one device.
type Use struct {
	// Task is "forecast", "train" (all weights) or "lora" (low-rank adapters, everything else
	// frozen).
	Task string `json:"task"`
	// Weights is the type in which a forecast holds the weights, and Cached says whether it
	// has a KV cache.
	Weights walrus.Precision `json:"-"`
	Hold    string           `json:"hold,omitempty"`
	Cached  bool             `json:"cached,omitempty"`
	// CheckpointEvery is the setting of training ([walrus.Config]).
	CheckpointEvery int `json:"checkpoint_every,omitempty"`
	// Rank is the rank of the adapters: the largest power of two up to 64 that fits, or 1.
	Rank int `json:"rank,omitempty"`
	// Batch is the largest batch that fits, a power of two: draws of a forecast that pass the
	// network together, or windows of a micro-batch. 0 means that not even 1 fits.
	Batch int `json:"batch"`
	// Bytes is the memory for batch 1, ProcessBytes included.
	Bytes int64 `json:"bytes"`
}

// String describes the use without numbers of bytes.
func (u Use) String() string {
	switch {
	case u.Task == "forecast" && u.Cached:
		return fmt.Sprintf("forecast, weights in %v, KV cache", u.Weights)
	case u.Task == "forecast":
		return fmt.Sprintf("forecast, weights in %v", u.Weights)
	case u.Task == "lora":
		return fmt.Sprintf("train adapters of rank %d, checkpoint_every %d", u.Rank, u.CheckpointEvery)
	}
	return fmt.Sprintf("train all weights, checkpoint_every %d", u.CheckpointEvery)
}

// largestBatch bounds the batches of [Fits].
const largestBatch = 256

// Fits lists the uses of a network on one device of the given memory, for windows of the
// shape of b: forecasts with weights held in each type, with and without a cache, training
// with the configured recomputation and with all blocks recomputed, and adapters. Uses that
// do not fit have batch 0. b.Size is ignored.
func Fits(config walrus.Config, b BatchShape, bytes int64) ([]Use, error) {
	var out []Use
	for held := walrus.Float32; held <= walrus.Int8; held++ {
		for _, cached := range []bool{false, true} {
			if cached && !config.Causal {
				continue
			}
			u := Use{Task: "forecast", Weights: held, Hold: held.String(), Cached: cached}
			if err := u.fill(bytes, func(n int) (int64, error) { return forecastBytes(config, b, u, n) }); err != nil {
				return nil, err
			}
			out = append(out, u)
		}
	}
	recomputed := config
	recomputed.CheckpointEvery = 1
	configs := []walrus.Config{config, recomputed}
	if config.CheckpointEvery == 1 {
		configs = configs[1:]
	}
	for _, c := range configs {
		u := Use{Task: "train", CheckpointEvery: c.CheckpointEvery}
		if err := u.fill(bytes, func(n int) (int64, error) { return trainBytes(c, b, 0, n) }); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	for rank := min(64, config.Hidden); rank >= 1; rank /= 2 {
		u := Use{Task: "lora", CheckpointEvery: 1, Rank: rank}
		if err := u.fill(bytes, func(n int) (int64, error) { return trainBytes(recomputed, b, rank, n) }); err != nil {
			return nil, err
		}
		if u.Batch > 0 || rank == 1 {
			return append(out, u), nil
		}
	}
	return out, nil
}

// fill sets the memory for batch 1 and the largest batch that fits.
func (u *Use) fill(bytes int64, need func(batch int) (int64, error)) error {
	for n := 1; n <= largestBatch; n *= 2 {
		total, err := need(n)
		if err != nil {
			return err
		}
		if n == 1 {
			u.Bytes = total
		}
		if total > bytes {
			break
		}
		u.Batch = n
	}
	return nil
}

func forecastBytes(c walrus.Config, b BatchShape, u Use, draws int) (int64, error) {
	s := walrus.ForecastShape{Grid: b.Grid, Boundaries: b.Boundaries, Steps: b.Steps, Variable: b.Variable, Constant: b.Constant, Draws: draws, Weights: u.Weights}
	if u.Cached {
		s.Cache = &walrus.Cache{}
	}
	f, err := walrus.EstimateForecast(c, s)
	return f.Total() + ProcessBytes, err
}

// trainBytes is the memory of training all weights, or adapters if rank is not 0.
func trainBytes(c walrus.Config, b BatchShape, rank, windows int) (int64, error) {
	b.Size, b.Alone = windows, true
	estimate := Estimate
	if rank > 0 {
		estimate = func(c walrus.Config, m Mesh, b BatchShape) (Footprint, error) { return EstimateLoRA(c, m, b, rank) }
	}
	f, err := estimate(c, Local(), b)
	return f.Total() + ProcessBytes, err
}

// EstimateLoRA is [Estimate] for the training of adapters of the given rank for all matrices
// of the blocks (train.LoRA with its default targets), while everything else is frozen.
// Params counts the values of the adapters. Weights include W₀, which the trainer keeps
// in addition to the adapted weights. Activations do not include the backward pass of the
// encoder and the gradients of the decoder's kernels.
func EstimateLoRA(config walrus.Config, mesh Mesh, batch BatchShape, rank int) (Footprint, error) {
	if rank < 1 {
		return Footprint{}, fmt.Errorf("distributed: estimate: LoRA: expected a rank of at least 1, got %d", rank)
	}
	f, err := estimate(config, mesh, batch, true)
	if err != nil {
		return Footprint{}, err
	}
	params, err := config.Params()
	if err != nil {
		return Footprint{}, fmt.Errorf("distributed: estimate: %w", err)
	}
	var adapted, adapters int64
	for _, p := range params {
		if !lora.Adapts(p.Key) {
			continue
		}
		out, in := p.Dims[0], p.Size()/p.Dims[0]
		if rank > min(out, in) {
			return Footprint{}, fmt.Errorf("distributed: estimate: LoRA: rank %d: expected at most %d for %s %v", rank, min(out, in), p.Key, p.Dims)
		}
		adapted += int64(p.Size())
		adapters += int64(rank) * int64(out+in)
	}
	shards := int64(mesh.WithDefaults().Shards)
	f.Params = adapters
	f.Weights += 4 * ((adapted+shards-1)/shards + adapters)
	f.Gradients, f.Moments = 4*adapters, 8*adapters
	return f, nil
}
