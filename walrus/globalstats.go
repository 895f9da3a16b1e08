package walrus

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
)

// ChannelStats are statistics of a data set, one value per channel: variable fields
// first, then constant fields, three components per vector. The delta statistics
// cover the variable channels only.
type ChannelStats struct {
	Mean, Std, DeltaMean, DeltaStd []float32
}

// Tensors returns mean, standard deviation and those of the change, each [1, 1, C, 1, 1, 1].
func (s ChannelStats) Tensors() (out [4]*tensors.Tensor) {
	for i, v := range [][]float32{s.Mean, s.Std, s.DeltaMean, s.DeltaStd} {
		out[i] = tensors.FromFlatDataAndDimensions(v, 1, 1, len(v), 1, 1, 1)
	}
	return out
}

// GlobalStats returns the statistics of a scaling for the channels of fields
// (docs/reference.md §8, statistics of the data set). The scaling must have
// statistics. A field that they lack is an error; the release silently skips it.
// GlobalStats does not apply field transforms such as log10: statistics of transformed
// fields must be computed from the transformed data.
func GlobalStats(scaling Scaling, fields []data.Field) (ChannelStats, error) {
	s := scaling.Statistics
	if s == nil || scaling.incomplete() {
		return ChannelStats{}, fmt.Errorf("walrus: statistics: expected those of a data set (%s), got none", scaling.tables())
	}
	var variable, constant []data.Field
	for _, f := range fields {
		if f.Constant {
			constant = append(constant, f)
		} else {
			variable = append(variable, f)
		}
	}
	all := append(append([]data.Field{}, variable...), constant...)
	var out ChannelStats
	var err error
	read := func(kind string, table map[string][]float64, fields []data.Field, floor bool) []float32 {
		if err != nil {
			return nil
		}
		var v []float32
		if v, err = s.Channels(kind, table, fields); err == nil && floor {
			err = checkScale(kind, v, scaling.eps())
		}
		return v
	}
	if scaling.Normalization == NormalizeRMS {
		out.Std = read("rms", s.RMS, all, true)
		out.DeltaStd = read("rms_delta", s.RMSDelta, variable, true)
		out.Mean, out.DeltaMean = make([]float32, len(out.Std)), make([]float32, len(out.DeltaStd))
		return out, err
	}
	out.Mean = read("mean", s.Mean, all, false)
	out.Std = read("std", s.Std, all, true)
	out.DeltaMean = read("mean_delta", s.MeanDelta, variable, false)
	out.DeltaStd = read("std_delta", s.StdDelta, variable, true)
	return out, err
}

// checkScale raises scales to the floor and returns an error for negative scales.
func checkScale(kind string, v []float32, floor float64) error {
	for i, x := range v {
		if !(x >= 0) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("walrus: statistics: %s of channel %d: expected a positive number, got %v", kind, i, x)
		}
		v[i] = max(x, float32(floor))
	}
	return nil
}
