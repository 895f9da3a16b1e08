package dpot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/walrus"
)

// TransferOptions configure [Transfer]. The zero value is the original's way.
type TransferOptions struct {
	// TimeAggregation copies the time aggregation from 2D to 3D, too. By default the
	// original copies only the blocks. (The Walrus paper does not report its choice.)
	TimeAggregation bool
	// Seed is the seed of the initial values.
	Seed uint64
}

// TransferReport lists what [Transfer] did with each tensor of the new network.
type TransferReport struct {
	// Copied tensors have the values of the weights from which they were copied.
	Copied []string `json:"copied"`
	// Resized tensors were interpolated to another token grid.
	Resized []string `json:"resized,omitempty"`
	// Initialized tensors have initial values.
	Initialized []string `json:"initialized,omitempty"`
}

// Transfer returns weights of another network of the same width and depth that begin with
// those of from, for finetuning:
//
//   - The patch embedding (patch_embed) and the last layer (out_layer.4) get initial values
//     if the number of channels differs, because the channels of one system mean nothing to
//     another system (paper appendix B.3.2).
//   - The position embedding is interpolated linearly if the grid differs.
//   - A 3D network gets the blocks of a 2D network, and initial values for everything else;
//     see TransferOptions.
//   - Any other tensor is copied if its shape is the same, and gets initial values otherwise.
//
// Transfer does not change from.
func Transfer(from *Weights, to Config, o TransferOptions) (*Weights, *TransferReport, error) {
	if from == nil || from.TensorSet == nil {
		return nil, nil, errors.New("dpot: transfer: expected weights, got none")
	}
	if err := to.Validate(); err != nil {
		return nil, nil, err
	}
	old := from.config
	if got, want := [4]int{to.Hidden, to.Depth, to.MixingBlocks, to.MLP}, [4]int{old.Hidden, old.Depth, old.MixingBlocks, old.MLP}; got != want {
		return nil, nil, fmt.Errorf("dpot: transfer: expected embed_dim, depth, n_blocks and mlp_width %v as in the weights, got %v", want, got)
	}
	if to.Axes() < old.Axes() {
		return nil, nil, errors.New("dpot: transfer: expected a network of as many axes as the weights or more, got a 2D network and 3D weights")
	}
	out, err := InitWeights(to, o.Seed)
	if err != nil {
		return nil, nil, err
	}
	report := &TransferReport{}
	for _, p := range out.Params() {
		if err := out.transfer(from, p, o, report); err != nil {
			out.Close()
			return nil, nil, fmt.Errorf("dpot: transfer: %s: %w", p.Key, err)
		}
	}
	return out, report, nil
}

// transfer sets one tensor.
func (w *Weights) transfer(from *Weights, p walrus.Param, o TransferOptions, report *TransferReport) error {
	t, ok := from.Tensor(p.Key)
	same := from.config.Axes() == w.config.Axes()
	if !ok || !w.keeps(from.config, p.Key, o) {
		report.Initialized = append(report.Initialized, p.Key)
		return nil
	}
	dims := t.Shape().Dimensions
	if !same && strings.Contains(p.Key, ".mlp.") && strings.HasSuffix(p.Key, ".weight") {
		dims = append(slices.Clone(dims), 1) // a kernel of one point has one more axis
	}
	switch {
	case slices.Equal(dims, p.Dims):
		report.Copied = append(report.Copied, p.Key)
	case p.Key == "pos_embed":
		report.Resized = append(report.Resized, p.Key)
	default:
		report.Initialized = append(report.Initialized, p.Key)
		return nil
	}
	values, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return err
	}
	if !slices.Equal(dims, p.Dims) {
		values = resized(values, dims, p.Dims)
	}
	return w.Set(p.Key, tensors.FromFlatDataAndDimensions(values, p.Dims...))
}

// keeps reports whether a tensor of weights with the configuration old is of use.
func (w *Weights) keeps(old Config, key string, o TransferOptions) bool {
	to := w.config
	if old.Axes() != to.Axes() {
		return strings.HasPrefix(key, "blocks.") || o.TimeAggregation && strings.HasPrefix(key, "time_agg_layer.")
	}
	if old.InChannels == to.InChannels && old.OutChannels == to.OutChannels {
		return true
	}
	return !strings.HasPrefix(key, "patch_embed.") && !strings.HasPrefix(key, "out_layer.4.")
}

// resized interpolates values of the given dimensions linearly along every axis.
func resized(values []float32, from, to []int) []float32 {
	dims := slices.Clone(from)
	for axis, n := range to {
		if n == dims[axis] {
			continue
		}
		outer, inner := 1, 1
		for _, d := range dims[:axis] {
			outer *= d
		}
		for _, d := range dims[axis+1:] {
			inner *= d
		}
		matrix, old := interpolation(dims[axis], n), dims[axis]
		next := make([]float32, outer*n*inner)
		for a := range outer {
			for i, row := range matrix {
				for j, weight := range row {
					if weight == 0 {
						continue
					}
					for k := range inner {
						next[(a*n+i)*inner+k] += float32(weight) * values[(a*old+j)*inner+k]
					}
				}
			}
		}
		values, dims[axis] = next, n
	}
	return values
}
