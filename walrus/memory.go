package walrus

import "fmt"

// MemoryError is the error of a rollout that needs more memory than it may have
// ([EmulatorOptions.MemoryLimit]).
type MemoryError struct {
	Grid        []int
	Frames      int   // of the window
	Need, Limit int64 // bytes
}

// Error says how much memory is needed and what to change.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("a forecast on the grid %v from %d frames needs at least %.1f GB of memory: expected at most %.1f GB (EmulatorOptions.MemoryLimit): "+
		"take fewer points (EmulatorOptions.Resize), fewer frames or a smaller batch", e.Grid, e.Frames, float64(e.Need)/1e9, float64(e.Limit)/1e9)
}

// checkMemory returns a MemoryError for a rollout that does not fit.
func (r *rollout) checkMemory() error {
	limit := r.e.opts.MemoryLimit
	if need := r.leastMemory(); limit > 0 && need > float64(limit) {
		return &MemoryError{Grid: r.window.Grid, Frames: len(r.window.Frames), Need: int64(min(need, 1<<62)), Limit: limit}
	}
	return nil
}

// leastMemory returns a low estimate of the bytes that a rollout needs: the weights, the
// frames on host and device, the tokens with the queries, keys and values of one block, and
// the scores of attention in time.
func (r *rollout) leastMemory() float64 {
	c, steps := r.e.model.config, float64(len(r.window.Frames))
	draws := float64(min(r.lanes*r.e.opts.Ensemble, max(r.e.opts.Batch, r.lanes)))
	tokens := draws * float64(r.plan.Tokens())
	values := 2 * steps * float64(r.lanes*len(r.volume.Variable)) * float64(r.volume.Points())
	perFrame := 4 * tokens * float64(c.Hidden)
	if r.e.opts.Cache == nil {
		perFrame *= steps
		values += tokens * float64(c.Heads) * steps * steps
	}
	bytes := 4.0
	if r.e.opts.Precision == BFloat16 {
		bytes = 2
	}
	weights := 0.0
	for _, p := range r.e.weights.Params() {
		weights += 4 * float64(p.Size())
	}
	return weights + 4*values + bytes*perFrame
}
