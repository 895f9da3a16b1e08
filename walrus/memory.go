package walrus

import (
	"cmp"
	"fmt"

	"github.com/gowalrus/gowalrus/internal/machine"
)

// MemoryError is the error of a rollout that needs more memory than it may have
// ([EmulatorOptions.MemoryLimit]).
type MemoryError struct {
	Grid        []int
	Frames      int   // of the window, 0 if the weights alone do not fit
	Need, Limit int64 // bytes
	// Footprint has the parts of Need.
	Footprint Footprint
}

// Error says how much memory is needed for what and what to change.
func (e *MemoryError) Error() string {
	f := e.Footprint
	if e.Frames == 0 {
		return fmt.Sprintf("the weights alone need %s of memory: expected at most %s (EmulatorOptions.MemoryLimit): hold them in a shorter type (EmulatorOptions.Weights)", gigabytes(e.Need), gigabytes(e.Limit))
	}
	return fmt.Sprintf("a forecast on the grid %v from %d frames needs about %s of memory (weights %s, a wide block %s, activations %s, cache %s, frames %s): expected at most %s (EmulatorOptions.MemoryLimit): "+
		"hold the weights in a shorter type (EmulatorOptions.Weights), or take fewer points (EmulatorOptions.Resize), fewer frames or a smaller batch",
		e.Grid, e.Frames, gigabytes(e.Need), gigabytes(f.Weights), gigabytes(f.Wide), gigabytes(f.Activations), gigabytes(f.Cache), gigabytes(f.Frames), gigabytes(e.Limit))
}

func gigabytes(n int64) string { return fmt.Sprintf("%.2f GB", float64(n)/1e9) }

// checkWeightsMemory returns a MemoryError if the weights alone do not fit.
func (o EmulatorOptions) checkWeightsMemory(c Config) error {
	params, err := c.Params()
	if err != nil {
		return err
	}
	f := Footprint{}
	for _, p := range params {
		f.Weights += o.held().bytes(p)
	}
	if limit := cmp.Or(o.MemoryLimit, machine.Memory()); limit > 0 && f.Total() > limit {
		return fmt.Errorf("walrus: loading: %w", &MemoryError{Need: f.Total(), Limit: limit, Footprint: f})
	}
	return nil
}

// checkMemory returns a MemoryError for a rollout that does not fit.
func (r *rollout) checkMemory() error {
	limit := r.e.opts.MemoryLimit
	if limit <= 0 {
		return nil
	}
	f := r.footprint()
	if f.Total() <= limit {
		return nil
	}
	return &MemoryError{Grid: r.window.Grid, Frames: len(r.window.Frames), Need: f.Total(), Limit: limit, Footprint: f}
}

// footprint estimates the memory of the rollout.
func (r *rollout) footprint() Footprint {
	o := r.e.opts
	s := ForecastShape{Steps: len(r.window.Frames), Variable: len(r.volume.Variable), Constant: len(r.volume.Constant),
		Draws: min(r.lanes*o.Ensemble, max(o.Batch, r.lanes)), Cache: o.Cache, Precision: o.Precision, Weights: o.Weights}
	f := s.footprint(r.e.model, r.plan, float64(r.lanes)*float64(r.volume.Points()))
	if held := o.held(); r.source.Precision() != held { // copies of float32 weights
		for _, p := range r.source.Params() {
			f.Weights += r.source.Precision().bytes(p)
		}
	}
	return f
}
