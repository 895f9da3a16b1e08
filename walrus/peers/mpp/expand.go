package mpp

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// Expand returns a copy with columns for more fields, as the original's
// expand_projections: new states get initial values and the indices after those of the
// old states; all other weights are copied. Because the mixing of fields is scaled by
// √(States/C), the forecasts of all fields change.
func (w *Weights) Expand(more int, seed uint64) (*Weights, error) {
	if more < 1 {
		return nil, fmt.Errorf("mpp: expanding weights: expected at least one more state, got %d", more)
	}
	return w.withStates(w.config.States+more, w.config.States, seed)
}

// ResetFields returns a copy with the given number of states, whose columns all have
// initial values, for finetuning on other fields (Walrus paper, appendix B.3). All other
// weights are copied.
func (w *Weights) ResetFields(states int, seed uint64) (*Weights, error) {
	return w.withStates(states, 0, seed)
}

// withStates returns a copy with another number of states, the first kept of which are
// copied. The others have initial values.
func (w *Weights) withStates(states, kept int, seed uint64) (*Weights, error) {
	c := w.config
	c.Name, c.States = "", states
	out, err := InitWeights(c, seed)
	if err != nil {
		return nil, err
	}
	if err := out.copyFrom(w, kept); err != nil {
		out.Close()
		return nil, fmt.Errorf("mpp: weights with %d states: %w", states, err)
	}
	return out, nil
}

// copyFrom copies the tensors of src. Of tensors with columns for states it copies the first
// kept columns.
func (w *Weights) copyFrom(src *Weights, kept int) error {
	for _, p := range w.Params() {
		from, ok := src.Tensor(p.Key)
		if !ok {
			return fmt.Errorf("%s: the weights were freed", p.Key)
		}
		values, err := tensors.CopyFlatData[float32](from)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		if axis := stateAxis(p.Key); axis >= 0 {
			own, _ := w.Tensor(p.Key)
			initial, err := tensors.CopyFlatData[float32](own)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Key, err)
			}
			copyColumns(initial, values, p.Dims, src.config.States, axis, kept)
			values = initial
		}
		if err := w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...)); err != nil {
			return err
		}
	}
	return nil
}

// stateAxis returns the axis of a tensor that has one column for each state, or -1.
func stateAxis(key string) int {
	switch key {
	case "space_bag.weight", "debed.out_kernel":
		return 1
	case "debed.out_bias":
		return 0
	}
	return -1
}

// copyColumns copies the first kept columns of src to dst. dst has the shape dims; src has
// the same shape but for states columns on the given axis.
func copyColumns(dst, src []float32, dims []int, states, axis, kept int) {
	outer, inner := 1, 1
	for a, d := range dims {
		if a < axis {
			outer *= d
		} else if a > axis {
			inner *= d
		}
	}
	for row := range outer {
		copy(dst[row*dims[axis]*inner:][:kept*inner], src[row*states*inner:])
	}
}
